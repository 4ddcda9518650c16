// What we read in a go.mod against what go reads in that of a dependency, for readable cases, for hostile texts, and for
// thousands that are put together at random.
//
// PLINTH_TEST_SEED chooses other random texts.

import t from 'tap'
import { readGoMod } from '../../src/gomod/go-mod.js'
import { buildOracle, startFactsOracle, type GoFacts } from '../support/oracle.js'
import { needs } from '../support/programs.js'
import { numbersFrom } from './judges.js'

const SEED = Number(process.env['PLINTH_TEST_SEED'] ?? 1)
const TEXTS = 4000

const CASES: readonly string[] = [
  '',
  'module example.com/m\n',
  'module example.com/m',
  '\ufeffmodule example.com/m\n',
  'module "example.com/m"\r\n\r\ngo 1.21\r\n',
  'module `example.com/m`\n',
  "module 'example.com/m'\n",
  'module (\n\texample.com/m\n)\n',
  'module (\n\ta\n\tb\n)\n',
  'module a\nmodule b\n',
  'module a b\n',
  'module\n',
  'module ()\n',
  'module ( ) // c\n',
  'module ( ) x\n',
  'module "a\\x62\\143\\u0064\\U00000065\\n\\"\\\\"\n',
  'module "\\xc3\\xa9"\n',
  'module "\\ud800"\n',
  'module "\\400"\n',
  'module "\\\'"\n',
  'module "a\nb"\n',
  'module "a',
  'module "a\\',
  'module a"b\n',
  'module a/*b\n',
  '/* c */\nmodule a\n',
  'module a//b\n',
  'module a /b\n',
  'module ünï.cödé/日本\n',
  'module a\u00a0b\n',
  'module a\u0000b\n',
  'module a\u200bb\n',
  'module a\fb\n',
  '// Deprecated: use v2.\nmodule a\n',
  '// Deprecated: use v2.\n\nmodule a\n',
  'module a // Deprecated: use v2.\n',
  '// text\n//\n// Deprecated:   use v2,\n//   really.\n//\n// more\nmodule a // x\n',
  '// text\n// Deprecated: not a paragraph\nmodule a\n',
  '// Deprecated:\nmodule a\n',
  '//Deprecated: b\nmodule (\n\ta\n)\n',
  '// Deprecated: of the block\nmodule (\n\t// of the line\n\ta\n)\n',
  '// Deprecated: first\n//\n// Deprecated: second\nmodule a\n',
  'go 1.21\n',
  'go 1.21.3\n',
  'go 1.21rc1\n',
  'go v1.21.x\n',
  'go 1.21-custom\n',
  'go 1\n',
  'go 1.21\ngo 1.21\n',
  'go 1.21 1.22\n',
  'go "1.21"\n',
  'go (\n\t1.21\n)\n',
  'toolchain go1.21\ntoolchain go1.22\n',
  'require a.b/c v1.2.3\n',
  'require a.b/c v1.2.3 // indirect\n',
  'require a.b/c v1.2.3 //indirect\n',
  'require a.b/c v1.2.3 // indirect; why\n',
  'require a.b/c v1.2.3 // indirect why\n',
  'require a.b/c v1.2.3 // why indirect\n',
  'require (\n\ta.b/c v1.2.3 // indirect\n\n\t// c\n\ta.b/d/v2 v2.0.0\n)\n',
  'require a.b/c v1.2\n',
  'require a.b/c v1\n',
  'require a.b/c v1.2.3+meta\n',
  'require a.b/c v1.2+meta\n',
  'require a.b/c v2.0.0+incompatible\n',
  'require a.b/c v2.0.0\n',
  'require a.b/c/v2 v1.0.0\n',
  'require a.b/c/v1 v1.0.0\n',
  'require a.b/c/v2.1 v2.1.0\n',
  'require gopkg.in/yaml.v3 v3.0.1\n',
  'require gopkg.in/check.v1 v0.0.0-20161208181325-20d25e280405\n',
  'require gopkg.in/yaml v3.0.1\n',
  'require gopkg.in/yaml.v3-unstable v3.0.1\n',
  'require a.b/c master\n',
  'require a.b/c\n',
  'require a.b/c v1.0.0 x\n',
  'require "a.b/c" "v1.0.0"\n',
  'require a.b/c v01.0.0\n',
  'require a.b/c v1.0.0-01\n',
  'require a.b/c v1.0.0-a..b\n',
  'require a.b/c v99999999999999999999.0.0+incompatible\n',
  'require () // c\n',
  'require ( a.b/c v1.0.0 )\n',
  'require (a.b/c v1.0.0\n)\n',
  'require (\n\ta.b/c v1.0.0 )\n',
  'require (\n\ta.b/c v1.0.0\n) // c\n',
  'require (\n\ta.b/c v1.0.0\n) x\n',
  'require (\n\ta.b/c v1.0.0\n',
  'require x (\n\ta.b/c v1.0.0\n)\n',
  'require (\n)\n)\n',
  'retract v1.0.0\n',
  'retract v1.0.0 // why\n',
  'retract [v1.0.0, v1.2.0] // why\n',
  'retract [v1.0.0,v1.2.0]\n',
  'retract [ v1 , v1.2 ] and more\n',
  'retract [v1.0.0, v1.2.0\n',
  'retract [v1.0.0 v1.2.0]\n',
  'retract ["v1.0.0", \'v1.2.0\']\n',
  'retract "v1.0.0"\n',
  'retract\n',
  'retract ( )\n',
  'retract ( v1.0.0\n',
  'retract v2.0.0 v3.0.0\n',
  'retract x\n',
  '// of the block\n// two lines\nretract (\n\tv1.0.0\n\tv1.1.0 // own\n\n\tv1.2.0\n\t// before\n\tv1.3.0\n\n\t// after a blank\n\n\n\tv1.4.0\n)\n',
  'retract ( // of the parenthesis\n\tv1.0.0\n) // behind\n',
  '// one\n\n// two\nretract v1.0.0 // three\n// four\n',
  '// \u00a0\u2003wide \u0085\nretract v1.0.0\n',
  '//\t \nretract v1.0.0 //\n',
  'exclude a.b/c v1.0.0\nreplace a => ../b\nnonsense (\n\t( x\n)\n',
  'replace ünï => ../ünï\nuse (\n\t. // x\n)\n',
  'ignore ./x\n',
  'ignore a b\n',
  'tool a b c\n',
  'godebug (\n\tdefault=go1.21\n)\n',
  '"module" a\n',
  '(\n)\n',
  ')\n',
  '[ ] { } ,\n',
  '\r\n \t\r \n',
  'module a\r// c\n',
]

const WORDS = [
  'module go require retract exclude ignore toolchain nonsense',
  'a.b/c a.b/c/v2 gopkg.in/a.v1 "a.b/d" `a` \'a\' 1.21 v1.21 go1.21',
  'v1.0.0 v1.2 v2.0.0 v2.0.0+incompatible v1.0.0-rc.1 v1.0.0+x "v1.0.0"',
  '( ) () [ ] , => { /x "',
]
  .flatMap((line) => line.split(' '))
  .concat('[v1.0.0, v1.1.0]', '(\n', ')\n', '(\n\n', '\n', '\n', '\n', '\n\n', '\r\n', ' ', '\t')
  .concat('// indirect\n', '// why\n', '//\n', '// Deprecated: no\n', '// Deprecated: b')

/** Texts that are mostly well-formed: otherwise go refuses them all, and there is nothing to compare. */
function randomText(random: () => number): string {
  const pick = (): string => WORDS[Math.floor(random() * WORDS.length)] ?? ''
  const lines = [
    'module a.b/m\n',
    'go 1.21\n',
    'require a.b/c v1.2.3 // indirect\n',
    'require (\n\ta.b/c v1.2.3\n\n\t// c\n\ta.b/d v1.0.0 // indirect; d\n)\n',
    'retract v1.0.0 // why\n',
    'retract (\n\tv1.0.0\n\n\t[v1.1.0, v1.2.0] // x\n\tv1.3.0\n)\n',
    '// c\n',
    '// Deprecated: x\n',
    '//\n',
    '\n',
    '\n',
  ]
  let text = ''
  for (let i = 0; i < 8; i++) text += lines[Math.floor(random() * lines.length)]
  for (let i = Math.floor(random() * 4); i > 0; i--) {
    const at = Math.floor(random() * text.length)
    text = `${text.slice(0, at)}${pick()}${text.slice(at + Math.floor(random() * 3))}`
  }
  return text
}

const repeated = (text: string, bytes = 2 ** 20): string => text.repeat(Math.ceil(bytes / text.length))

const HOSTILE: readonly [what: string, text: string][] = [
  ['newlines', repeated('\n')],
  ['comments', repeated('//\n')],
  ['comments before a retraction', `${repeated('// c\n')}retract v1.0.0\n`],
  ['one word', repeated('a')],
  ['slashes', repeated('/ ')],
  ['words', `module a\n${repeated('x ')}\n`],
  ['parentheses', repeated('(')],
  ['closed parentheses', repeated('( ) ')],
  ['blocks', repeated('x (\n)\n')],
  ['blank lines in a block', `require (\n${repeated('\n')})\n`],
  ['comments in a block', `require (\n${repeated('// c\n\n')})\n`],
  ['escapes', `module "${repeated('\\x61')}"\n`],
  ['an escape that does not end', `module "${repeated('\\\\')}\\"\n`],
  ['spaces in a comment', `//${repeated(' ')}x${repeated(' ')}\nmodule a\n`],
  ['paragraphs', `${repeated('// Deprecated\n//\n')}module a\n`],
  ['a deprecation', `// Deprecated:${repeated(' ')}x\nmodule a\n`],
  ['retractions of one comment', `// c\nretract (\n${repeated('v1.0.0\n')})\n`],
  ['requirements', `require (\n${repeated('a.b/c v1.0.0 // indirect\n')})\n`],
  ['a long version', `require a.b/c v1.0.0-${repeated('a.')}b\n`],
  ['a long path', `require ${repeated('/v1')} v1.0.0\n`],
  ['a long range', `retract ${repeated('[')}\n`],
]

t.test('we read what go reads', needs('go'), async (t) => {
  const oracle = startFactsOracle(buildOracle())
  t.teardown(oracle.stop)
  const compare = async (text: string): Promise<{ ours: unknown; gos: unknown; refused: boolean }> => {
    const { error, ...gos }: GoFacts = await oracle.goMod(text)
    const { toolchain: _, ...ours } = readGoMod(text) ?? {}
    const refused = error !== undefined
    return { ours: 'requires' in ours ? ours : 'refused', gos: refused ? 'refused' : gos, refused }
  }
  const agree = async (text: string, what: string): Promise<boolean> => {
    const { ours, gos, refused } = await compare(text)
    t.strictSame(ours, gos, what)
    return !refused
  }

  for (const text of CASES) await agree(text, JSON.stringify(text))
  for (const [what, text] of HOSTILE) await agree(text, what)

  const random = numbersFrom(SEED)
  let accepted = 0
  let differences = 0
  for (let i = 0; i < TEXTS && differences < 10; i++) {
    const text = randomText(random)
    const { ours, gos, refused } = await compare(text)
    if (!refused) accepted++
    if (JSON.stringify(ours) === JSON.stringify(gos)) continue
    if (!t.strictSame(ours, gos, JSON.stringify(text))) differences++
  }
  t.comment(`${TEXTS} random texts, ${accepted} of them are read by go`)
  t.ok(accepted > TEXTS / 10, 'and enough of them are read')
  t.equal(differences, 0)
})
