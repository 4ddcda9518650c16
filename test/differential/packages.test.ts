// The package name and the synopsis that we read in a source file against those of go/parser and go/doc, for readable
// cases and for thousands that are put together at random.
//
// PLINTH_TEST_SEED chooses other random sources.

import t from 'tap'
import { packageClauseOf } from '../../src/gomod/package-clause.js'
import { synopsisOf } from '../../src/gomod/synopsis.js'
import { buildOracle, startFactsOracle } from '../support/oracle.js'
import { needs } from '../support/programs.js'
import { numbersFrom } from './judges.js'

const SEED = Number(process.env['PLINTH_TEST_SEED'] ?? 1)
const SOURCES = 4000

const SOURCE_CASES: readonly string[] = [
  '',
  'package m',
  'package m\n',
  '\ufeffpackage m\n',
  '\ufeff// Package m.\npackage m\n',
  'package m; import "io"\n',
  'package m // c\n',
  'package m /* c */\n',
  'package m /* c\n*/ import "io"\n',
  'package m import "io"\n',
  'package\nm\n',
  'package // c\n/* d */ m\n',
  'package/**/m\n',
  'packagem\n',
  'package 1m\n',
  'package ünï\n',
  'package _\n',
  'func m() {}\n',
  '; package m\n',
  '/ package m\n',
  '/* package m\n',
  '/*/ package m\n',
  '/**/ package m\n',
  '// Package m.\npackage m\n',
  '// Package m.\n\npackage m\n',
  '// Package m.\r\npackage m\r\n',
  '//\tPackage m\r is \r\n// odd.\r\npackage m\n',
  '/* Package m. */ package m\n',
  '/* Package m. */\npackage m\n',
  '/*\nPackage m does\n\tthings.\n*/\npackage m\n',
  '/*Package m*/ // does things.\npackage m\n',
  '/* one */ /* two. */\npackage m\n',
  '/* one\n*/ // two.\n// three.\npackage m\n',
  '// one\n\n// two.\npackage m\n',
  '// one.\n/* two\n\n*/\npackage m\n',
  '// one.\n/* two */ package m\n',
  '//go:build linux\n\n// Package m.\npackage m\n',
  '//go:build linux\n// Package m.\npackage m\n',
  '// Package m.\n//go:generate x\npackage m\n',
  '//go:generate x\npackage m\n',
  '//line x.go:1\n// Package m.\npackage m\n',
  '//export X\n//extern y\n//nolint:all\n//not a directive\n//Nolint:all\npackage m\n',
  '//\n//  Package m\n//\n//\n// does.\npackage m\n',
  'package m\n// Package m.\n',
  '// Package m. \u0000\npackage m\n',
]

const DOC_CASES: readonly string[] = [
  'Package m does things. And more.',
  'Package m does things',
  'Package m\ndoes\tthings.\nAnd more.',
  'Package m does things\n\nAnd more.',
  'Package m is by J. R. Smith. He',
  'Package m uses TLS. And more.',
  'Package m uses É. And more.',
  'Package m uses v1.2.3 of it.And more. Really.',
  'Package m e.g. this.',
  '日本語。Package m',
  '日本語．Package m',
  'Copyright 2020 me. Package m.',
  'COPYRIGHT me.',
  'All rights reserved.',
  'Author: me.',
  'Authors.',
  'Right: all.',
  '# Heading\n\nPackage m.',
  '#Heading\n\nPackage m.',
  '  code\n  more code\n\nPackage m.',
  'text\n  indented. More.',
  '- a list\n- of items.',
  '  - a list\n  - of items.',
  'text\n- a\n- b\n  c.',
  'text\n  - a\n  - b.',
  '1. one\n2. two',
  '1) one',
  '12x one',
  '• one',
  '•one',
  'func main() {\n\tx\n}\nmore.',
  'text \\\n\tx\nmore.',
  '\tx\n} y\nz.',
  '- a\n- b\n\tc\n- d\n\n- e',
  "``quoted'' text.",
  "a ``b '' c ```d.",
  "it''s '' '''' a ''' b.",
  '[io.Reader] and [io] and [Reader] and [*bytes.Buffer].',
  '[encoding/json.Decoder.Decode] [encoding/json] [a/b/] [-a/b] [a//b].',
  'x[io] [io]x ([io]) [io]é é[io] “[io]” 日[io]。[io].',
  'map[ast.Expr]T and []byte and [[io]] and [io[io]].',
  '[a [b] c].',
  '[io\nReader] [io.\tReader].',
  '[text] is\n\n[text]: https://example.com/',
  '[text] and [other].\n\n[text]: https://example.com/',
  '[text]: https://example.com/\n\nPackage [text] m.',
  '[text]: https://example.com/\n[b]:http://example.com/\n\nPackage m.',
  '[text]: gopher://x\n[b]: x://y\n\nPackage m.',
  '[text]: mailto:a@b\n\nPackage m.',
  'text\n\nOld Heading\n\nmore.',
  '[a]: http://b\n\nOld Heading\n\nPackage m',
  "[a]: http://b\n\nSmith's Heading 2.0\n\nPackage m",
  "[a]: http://b\n\nSmiths' Heading\n\nPackage m",
  '[a]: http://b\n\nEnds.\n\nPackage m',
  '[a]: http://b\n\nHas: colon\n\nPackage m',
  '[a]: http://b\n\nHeading\n\n  code',
  'Package m\u00a0has\u2003wide\u3000spaces.\u00a0And.',
  '\u00a0\nPackage m.',
  'see https://example.com/a_b. It is (http://x).',
  '.',
  '. .',
  'a.\tb',
  'A. b',
  'AB. c',
  'a b.  c',
]

const PIECES = [
  'Package m',
  'does things',
  'J.',
  'v1.2',
  '[io.Reader]',
  '[x]',
  '[x]: https://y',
  '(',
  ')',
  '{',
  '}',
  '- ',
  '* ',
  '1. ',
  '# ',
  'Title',
  'É',
  '日本',
  '。',
  "''",
  '``',
  '. ',
  '.',
  '\\',
  ' ',
  '  ',
  '\t',
  '\n',
  '\n',
  '\n\n',
  'copyright',
  ':',
]

/** A comment of either kind, or of both. */
function commentOf(doc: string, random: () => number): string {
  const lines = doc.split('\n')
  const kind = random()
  if (kind < 0.3) return `/*\n${doc}\n*/\n`
  if (kind < 0.4) return `/* ${doc} */\n`
  return lines.map((line) => (random() < 0.9 ? `// ${line}\n` : `//${line}\n`)).join('')
}

t.test('we read what go reads', needs('go'), async (t) => {
  const oracle = startFactsOracle(buildOracle())
  t.teardown(oracle.stop)
  const ask = async (source: string): Promise<{ ours: object; gos: object }> => {
    const { error, name, synopsis = '' } = await oracle.package({ 'm.go': source })
    const clause = packageClauseOf(source)
    return {
      ours: clause ? { name: clause.name, synopsis: synopsisOf(clause.doc) } : {},
      // go prints the targets of links behind the sentence
      gos: error === undefined ? { name, synopsis: synopsis.split('\n', 1)[0] } : {},
    }
  }

  for (const source of SOURCE_CASES) {
    const { ours, gos } = await ask(source)
    t.strictSame(ours, gos, JSON.stringify(source))
  }
  for (const doc of DOC_CASES) {
    const { ours, gos } = await ask(`/*\n${doc}\n*/\npackage m\n`)
    t.strictSame(ours, gos, JSON.stringify(doc))
  }

  const random = numbersFrom(SEED)
  let differences = 0
  let withSynopsis = 0
  for (let i = 0; i < SOURCES && differences < 10; i++) {
    let doc = ''
    for (let n = Math.floor(random() * 14); n >= 0; n--) doc += PIECES[Math.floor(random() * PIECES.length)]
    if (doc.includes('://')) doc = doc.replaceAll("''", '') // go takes the marks in an address for a part of it
    const source = `${random() < 0.1 ? '//go:build x\n\n' : ''}${commentOf(doc, random)}package m\n`
    const { ours, gos } = await ask(source)
    if ('synopsis' in gos && gos.synopsis !== '') withSynopsis++
    if (JSON.stringify(ours) === JSON.stringify(gos)) continue
    t.strictSame(ours, gos, JSON.stringify(source))
    differences++
  }
  t.comment(`${SOURCES} random sources, ${withSynopsis} of them with a synopsis`)
  t.ok(withSynopsis > SOURCES / 4, 'and enough of them have one')
})
