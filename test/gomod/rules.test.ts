// The small rules that a module zip's verdict is made of.

import { createHash } from 'node:crypto'
import t from 'tap'
import { fold } from '../../src/gomod/fold.js'
import { goModHash, hash1 } from '../../src/gomod/dirhash.js'
import { modulePathOf } from '../../src/gomod/modfile.js'
import { ProblemList, problemText } from '../../src/gomod/problems.js'

t.test('folding is that of strings.EqualFold', async (t) => {
  const equal: [string, string][] = [
    ['go.mod', 'GO.MOD'],
    ['k', '\u212a'], // Kelvin
    ['s', '\u017f'], // long s
    ['σ', 'ς'],
    ['σ', 'Σ'],
    ['ß', 'ẞ'],
    ['å', '\u212b'], // Ångström
    ['Ω', '\u2126'], // Ohm
    ['ǆ', 'ǅ'],
    ['\u{10400}', '\u{10428}'], // Deseret
  ]
  const different: [string, string][] = [
    ['ß', 'ss'],
    ['İ', 'i'],
    ['ı', 'i'],
    ['ﬁ', 'fi'],
    ['a', 'á'],
    ['1', 'l'],
  ]
  for (const [a, b] of equal) t.equal(fold(`x${a}/`), fold(`x${b}/`), `${a} ${b}`)
  for (const [a, b] of different) t.not(fold(a), fold(b), `${a} ${b}`)
})

t.test('h1 of an empty set and of a known go.mod', async (t) => {
  t.equal(hash1([]), 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
  // from the go.sum of any module that needs rsc.io/quote: its go.mod is known to the world
  const quote = 'module "rsc.io/quote"\n\nrequire "rsc.io/sampler" v1.3.0\n'
  const sha256 = createHash('sha256').update(quote).digest('hex')
  t.equal(goModHash(sha256), 'h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=')
})

t.test('the module line of a go.mod, in all its spellings', async (t) => {
  const table: [goMod: string, module: string | undefined][] = [
    ['module example.com/m\n', 'example.com/m'],
    ['module example.com/m', 'example.com/m'],
    ['module\texample.com/m\r\n', 'example.com/m'],
    ['// a comment\n\nmodule example.com/m // why\n', 'example.com/m'],
    ['module "example.com/m"\n', 'example.com/m'],
    ['module `example.com/m`\n', 'example.com/m'],
    ['module (\n\texample.com/m\n)\n', 'example.com/m'],
    ['module (\n\t// a comment\n\t"example.com/m"\n)\n', 'example.com/m'],
    ['go 1.21\n\nmodule example.com/m\n', 'example.com/m'],
    ['\ufeffmodule example.com/m\n', 'example.com/m'],
    ['', undefined],
    ['go 1.21\n', undefined],
    ['// module example.com/m\n', undefined],
    ['modul example.com/m\n', undefined],
    ['module\n', undefined],
    ['module a b\n', undefined],
    ['module "example.com/m\n', undefined],
    ['module (\n)\n', undefined],
    // takes no time: no regular expression backtracks over the line
    [`${'/'.repeat(2e6)}\rx\nmodule example.com/m\n`, 'example.com/m'],
  ]
  for (const [goMod, module] of table) t.equal(modulePathOf(goMod), module, JSON.stringify(goMod))
})

t.test('problems are told one a line, 20 at most, with nothing a terminal would obey', async (t) => {
  const problems = new ProblemList()
  for (let i = 0; i < 23; i++) problems.add({ name: `f${i}`, rule: 'is wrong' })
  const lines = problemText(problems.list()).split('\n')
  t.equal(lines.length, 21)
  t.equal(lines[0], 'f0: is wrong')
  t.equal(lines[20], 'and 3 more problems')
  t.equal(problemText([{ name: 'a\n\x1b[31m\u202eb', rule: 'r' }]), 'a\\u000a\\u001b[31m\\u202eb: r')
  t.ok(problemText([{ name: 'x'.repeat(60000), rule: `quotes ${'x'.repeat(60000)}` }]).length < 1500)
  t.equal(problemText([{ rule: 'a\u009b\u202e' }]), 'a\\u009b\\u202e')
})
