// What a module zip says of itself, from the zip to the JSON text.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import licences from 'spdx-license-list/full.js'
import { readModuleZip, type ZipReadOptions } from '../../src/modzip/read-zip.js'
import type { ModuleFacts } from '../../src/views/facts.js'
import { rawZip } from '../support/raw-zip.js'
import { tempFolder } from '../support/temp-folder.js'
import { moduleZip, type Files } from '../support/zips.js'

const folder = tempFolder()
let count = 0
const newPath = (): string => join(folder, String(count++))

async function read(zip: Buffer, options: ZipReadOptions = { wantFacts: true }) {
  const path = newPath()
  writeFileSync(path, zip)
  const reading = await readModuleZip(path, options)
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems))
  return reading
}

const MODULE = 'example.com/team/colours'
const zipWith = (files: Files): Promise<Buffer> => moduleZip(MODULE, 'v1.2.0', files)
async function factsOf(files: Files): Promise<ModuleFacts> {
  const { facts = '' } = await read(await zipWith(files))
  return JSON.parse(facts) as ModuleFacts
}

const MIT =
  licences['MIT']?.licenseText.replace('<year> <copyright holders>', '2024 The Colours Authors') ?? ''

const COLOURS: Files = {
  'go.mod': `// Deprecated: use ${MODULE}/v2.
module ${MODULE}

go 1.22.1

toolchain go1.23.0

require (
\tgolang.org/x/text v0.14.0
\texample.com/dep v1.0.0 // indirect
)

retract v1.1.0 // forgets green
`,
  LICENSE: MIT,
  'README.md': '# Colours\n\nMixes <colours> & "paints".\n',
  'README.txt': 'not this one\n',
  'doc.go': `// Copyright 2024 The Colours Authors. All rights reserved.

// Package colours mixes colours. It knows all of them.
//
// # Usage
package colours
`,
  'colours.go': '// Copyright 2024 The Colours Authors.\n\npackage colours\n',
  'colours_test.go': '// Package colours_test is none.\npackage colours_test\n',
  'gen.go': '// Makes the tables.\n\n//go:build ignore\n\npackage main\n',
  'cmd/mix/main.go': '// Mix mixes colours on the command line.\npackage main\n\nfunc main() {}\n',
  'rgb/rgb.go': '/*\nPackage rgb has colours as numbers,\nas screens do.\n*/\npackage rgb\n',
  'rgb/rgb_cgo.go': 'package rgb\n\n// #include <math.h>\nimport "C"\n',
  'rgb/testdata/x.go': '// Package x is test data.\npackage x\n',
  'internal/mixer/mixer.go': '// Package mixer is internal.\npackage mixer\n',
  '_examples/x.go': 'package examples\n',
  '.tools/x.go': 'package tools\n',
  'docs/guide.md': '# Guide\n',
  'docs/LICENSE': 'not in the root\n',
}

t.test('a module says of itself what its page shows', async (t) => {
  const zip = await zipWith(COLOURS)
  const { facts = '', zip: read1 } = await read(zip)
  t.strictSame(JSON.parse(facts), {
    h1: read1.zipHash,
    goModH1: read1.modHash,
    files: Object.keys(COLOURS).length,
    go: '1.22.1',
    toolchain: 'go1.23.0',
    deprecated: `use ${MODULE}/v2.`,
    retracts: [{ low: 'v1.1.0', high: 'v1.1.0', rationale: 'forgets green' }],
    requires: [
      { path: 'golang.org/x/text', version: 'v0.14.0' },
      { path: 'example.com/dep', version: 'v1.0.0', indirect: true },
    ],
    packages: [
      { path: MODULE, name: 'colours', synopsis: 'Package colours mixes colours.' },
      { path: `${MODULE}/cmd/mix`, name: 'main', synopsis: 'Mix mixes colours on the command line.' },
      {
        path: `${MODULE}/rgb`,
        name: 'rgb',
        synopsis: 'Package rgb has colours as numbers, as screens do.',
      },
    ],
    licences: [{ file: 'LICENSE', spdx: 'MIT' }],
    goMod: COLOURS['go.mod'],
    readme: {
      file: 'README.md',
      html: (JSON.parse(facts) as ModuleFacts).readme?.html,
    },
  })
  t.match(facts, /"html":"[^<]*<h3[^>]*>Colours/)
  t.notMatch(facts, /<colours>/, 'the HTML is safe')
  t.equal((await read(zip)).facts, facts, 'the same bytes say the same')
})

t.test('facts are in a file, in the reading, or nowhere, as is asked for', async (t) => {
  const zip = await zipWith(COLOURS)
  const { facts: wanted } = await read(zip)
  const path = newPath()
  const reading = await read(zip, { facts: path })
  t.equal(readFileSync(path, 'utf8'), wanted)
  t.notOk('facts' in reading, 'the reading has none that nobody wants')
  t.notOk('facts' in (await read(zip, {})))
  await t.rejects(read(zip, { facts: path }), { code: 'EEXIST' }, 'the file is new')

  const bad = rawZip([{ name: 'example.com/m@v1.0.0/x.go', content: 'package x\n', crc32: 1 }])
  const [at, factsAt] = [newPath(), newPath()]
  writeFileSync(at, bad)
  t.notOk((await readModuleZip(at, { facts: factsAt })).ok)
  t.notOk(existsSync(factsAt), 'a zip that is refused has no facts')
})

t.test('the order of the files in the zip says nothing', async (t) => {
  const without = ({ h1: _, ...facts }: ModuleFacts): object => facts
  const entries = Object.entries(COLOURS)
  const turned = await factsOf(Object.fromEntries(entries.toReversed()))
  t.strictSame(without(turned), without(await factsOf(COLOURS)))
})

t.test('a module without anything', async (t) => {
  const { h1, goModH1, ...facts } = await factsOf({ x: '' })
  t.strictSame(facts, {
    files: 1,
    retracts: [],
    requires: [],
    packages: [],
    licences: [],
    goMod: `module ${MODULE}\n`,
  })
  t.match(h1, /^h1:/)
  t.match(goModH1, /^h1:/)
})

t.test('folders are no files', async (t) => {
  const { files } = await factsOf({ 'docs/': '', 'docs/x': '', LICENSE: 'x', 'README.go': 'package x\n' })
  t.equal(files, 3)
})

t.test('what is too much is cut, and the zip is taken', async (t) => {
  const most = 1.5 * 2 ** 20
  const line = (i: number): string => `\texample.com/some/module/of/many/${i} v1.0.0\n`
  const many = Array.from({ length: 4000 }, (_, i) => line(i)).join('')
  const table: [what: string, files: Files, holds: (facts: ModuleFacts) => boolean][] = [
    [
      'a long README',
      { 'README.md': '"'.repeat(600_000) },
      ({ readme }) => (readme?.html.length ?? 0) > 100_000,
    ],
    [
      'a README of control characters',
      { README: '\x01'.repeat(500_000) },
      ({ readme }) => readme !== undefined,
    ],
    [
      'a README that ends in a character',
      { README: `${'x'.repeat(512 * 1024 - 1)}é` },
      ({ readme }) => !/[\ufffdé]/.test(readme?.html ?? '\ufffd'),
    ],
    [
      'many requirements',
      { 'go.mod': `module ${MODULE}\nrequire (\n${many})\n` },
      ({ requires }) => requires.length > 1000 && requires.length < 4000,
    ],
    [
      'many retractions of one long rationale',
      { 'go.mod': `module ${MODULE}\n// ${'x'.repeat(100_000)}\nretract (\n${'v1.0.0\n'.repeat(10_000)})\n` },
      ({ retracts }) => retracts.length > 50 && (retracts[0]?.rationale.length ?? 0) === 1000,
    ],
    [
      'a long go.mod',
      { 'go.mod': `module ${MODULE}\n${'// x\n'.repeat(100_000)}` },
      ({ goMod, requires }) => goMod === undefined && requires.length === 0,
    ],
    [
      'a long deprecation',
      { 'go.mod': `// Deprecated: ${'x'.repeat(100_000)}\nmodule ${MODULE}\n` },
      ({ deprecated }) => deprecated?.length === 1000 && deprecated.endsWith('x…'),
    ],
    [
      'a long sentence',
      { 'm.go': `// ${'😀'.repeat(10_000)}\npackage m\n` },
      ({ packages }) => /^(?:😀)+…$/u.test(packages[0]?.synopsis ?? ''),
    ],
    [
      'many packages',
      Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`p${i}/m.go`, 'package m\n'])),
      ({ packages }) => packages.length === 1000,
    ],
  ]
  for (const [what, files, holds] of table) {
    const { facts = '' } = await read(await zipWith(files))
    const parsed = JSON.parse(facts) as ModuleFacts
    t.ok(holds(parsed), what)
    t.ok(Buffer.byteLength(facts) < most, `${what}: ${Buffer.byteLength(facts)} bytes`)
    t.equal(parsed.cut, true, `${what}: says that it is cut`)
  }
})

t.test('a go.mod that is too long to be shown is read', async (t) => {
  const facts = await factsOf({ 'go.mod': `module ${MODULE}\ngo 1.21\n${'// x\n'.repeat(20_000)}` })
  t.equal(facts.goMod, undefined)
  t.equal(facts.go, '1.21')
  t.equal(facts.cut, undefined, 'nothing else is missing')
})

t.test('files that are not what their names say are passed over', async (t) => {
  const junk = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 256))
  const facts = await factsOf({
    'a.go': junk,
    'b/b.go': '/* no end',
    'c/c.go': `// ${'x'.repeat(70_000)}\npackage c\n`,
    'd/d.go': '// Package documentation is for no build.\npackage documentation\n',
    'e e/e.go': 'package e\n',
    LICENSE: junk,
    'README.md': junk,
    'go.mod': 'module\n(\n',
  })
  t.strictSame(facts.packages, [])
  t.strictSame(facts.licences, [{ file: 'LICENSE' }])
  t.strictSame(facts.requires, [])
  t.equal(facts.readme, undefined)
})

t.test('sources of any size and packing are looked at', async (t) => {
  const body = '\n\nvar x = 1\n'.repeat(300_000)
  for (const method of [0, 8]) {
    const content = `// Package big is big.\npackage big\n${body}`
    const zip = rawZip([{ name: 'example.com/m@v1.0.0/big.go', content, method }])
    const { facts = '' } = await read(zip)
    t.match(JSON.parse(facts), { packages: [{ name: 'big', synopsis: 'Package big is big.' }] })
  }
})
