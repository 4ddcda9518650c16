// What the beginning of a source file says. test/differential/packages.test.ts holds it against the real go.

import t from 'tap'
import { packageClauseOf } from '../../src/gomod/package-clause.js'
import { synopsisOf } from '../../src/gomod/synopsis.js'

t.test('the package clause and the comment right above it', async (t) => {
  const table: [source: string, name: string | undefined, doc?: string][] = [
    ['// Package m does.\npackage m\n', 'm', 'Package m does.\n'],
    ['// Copyright\n\n// Package m does.\npackage m\n', 'm', 'Package m does.\n'],
    ['/*\nPackage m does.\n*/\npackage m\n', 'm', 'Package m does.\n'],
    ['\ufeff// Package m does.\r\npackage m\r\n', 'm', 'Package m does.\n'],
    ['// Package m does.\n//go:generate stringer\npackage m\n', 'm', 'Package m does.\n'],
    ['// Package m does.\n\npackage m\n', 'm', ''],
    ['/* Package m does. */ package m\n', 'm', ''],
    ['package m // does\n', 'm', ''],
    ['package main\n\n// #include <x.h>\nimport "C"\n', 'main', ''],
    ['package ünï; import "io"\n', 'ünï', ''],
    ['/* not closed\npackage m\n', undefined],
    ['package m import "io"\n', undefined],
    ['packages m\n', undefined],
    ['import "io"\n', undefined],
    ['<html>', undefined],
    ['', undefined],
    ['// Package m.\0\npackage m\n', undefined],
  ]
  for (const [source, name, doc] of table) {
    const clause = packageClauseOf(source)
    t.equal(clause?.name, name, JSON.stringify(source))
    t.equal(clause?.doc, doc, JSON.stringify(source))
  }
})

t.test('a file that is in no build says so above its clause', async (t) => {
  const table: [line: string, ignored: boolean][] = [
    ['//go:build ignore', true],
    ['// +build ignore', true],
    ['//+build ignore\r', true],
    ['//go:build linux', false],
    ['//go:build ignore && linux', false],
    ['//go:build !ignore', false],
    ['// go:build ignore', false],
    ['/* //go:build ignore */', false],
  ]
  for (const [line, ignored] of table)
    t.equal(packageClauseOf(`// c\n\n${line}\n\npackage m\n`)?.ignored, ignored, line)
  t.equal(packageClauseOf('package m\n\n//go:build ignore\n')?.ignored, false, 'below it says nothing')
})

t.test('a synopsis is the first sentence on one line', async (t) => {
  const table: [doc: string, synopsis: string][] = [
    ['Package m does\nthings. And more.\n', 'Package m does things.'],
    ['Package m is by J. R. Smith. Who\n', 'Package m is by J. R. Smith.'],
    ['Package m reads [io.Reader] and [Other].\n', 'Package m reads io.Reader and [Other].'],
    ["Package m is ``quoted''.\n", 'Package m is “quoted”.'],
    ['See [home].\n\n[home]: https://example.com/\n', 'See [home].'],
    ['Package m does things\n\n# Usage\n', 'Package m does things'],
    ['# Usage\n\nPackage m.\n', ''],
    ['  code\n\nPackage m.\n', ''],
    ['  - a list\n\nPackage m.\n', ''],
    ['Copyright 2020 me. All rights reserved.\n', ''],
    ['Author: me.\n', ''],
    ['', ''],
  ]
  for (const [doc, synopsis] of table) t.equal(synopsisOf(doc), synopsis, JSON.stringify(doc))
})

t.test('hostile beginnings take no time, and their documentation is cut', async (t) => {
  const full = (text: string): string => text.repeat(Math.ceil(2 ** 16 / text.length))
  for (const piece of [
    '//\n',
    '/**/',
    '/* */\n',
    '// x\n\n',
    '// [a\n',
    "// ''``\n",
    '//  - x\n',
    '// A. B\n',
  ]) {
    const clause = packageClauseOf(`${full(piece)}\npackage m\n`)
    t.equal(clause?.name, 'm', piece)
    t.ok((clause?.doc.length ?? Infinity) <= 4096)
    t.type(synopsisOf(clause?.doc ?? ''), 'string')
  }
  for (const piece of ['/', '/*', '/* *', ' ', '\r', 'package ', '#'])
    t.equal(packageClauseOf(full(piece)), undefined, piece)
  for (const piece of [
    ' ',
    '[',
    '[a]',
    '[io.',
    "'",
    '`',
    '[a]: http://b\n',
    '- a\n',
    'x\n\n',
    '. ',
    'A.',
    '\t\n',
  ])
    t.type(synopsisOf(full(piece)), 'string', piece)
})
