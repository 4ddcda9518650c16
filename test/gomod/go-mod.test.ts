// What a go.mod states. test/differential/go-mod.test.ts holds it against the real go.

import t from 'tap'
import { readGoMod } from '../../src/gomod/go-mod.js'

t.test('everything that views need of a go.mod', async (t) => {
  const goMod = `// Package m does things.
//
// Deprecated: use example.com/m/v2,
// which is faster.
module example.com/m // the old one

go 1.21.3

toolchain go1.22.0

require example.com/a v1.2.3

require (
\texample.com/b/v2 v2.0.0 // indirect
\texample.com/c v3.0.0+incompatible // indirect; of b
)

exclude example.com/a v1.2.4

replace example.com/a => ../a

// These lost data.
retract (
\tv1.0.0
\t[v1.1.0, v1.1.9] // slow

\t// Wrong
\t// tag.
\tv1.2.0
)
`
  t.strictSame(readGoMod(goMod), {
    requires: [
      { path: 'example.com/a', version: 'v1.2.3' },
      { path: 'example.com/b/v2', version: 'v2.0.0', indirect: true },
      { path: 'example.com/c', version: 'v3.0.0+incompatible', indirect: true },
    ],
    retracts: [
      { low: 'v1.0.0', high: 'v1.0.0', rationale: 'These lost data.' },
      { low: 'v1.1.0', high: 'v1.1.9', rationale: 'slow' },
      { low: 'v1.2.0', high: 'v1.2.0', rationale: 'Wrong\ntag.' },
    ],
    module: 'example.com/m',
    deprecated: 'use example.com/m/v2,\nwhich is faster.\nthe old one',
    go: '1.21.3',
    toolchain: 'go1.22.0',
  })
})

t.test('of a go.mod that go refuses nothing is known', async (t) => {
  const table: [why: string, goMod: string][] = [
    ['a byte order mark', '\ufeffmodule example.com/m\n'],
    ['a comment of the wrong kind', '/* c */\nmodule example.com/m\n'],
    ['a block without an end', 'module example.com/m\nrequire (\n'],
    ['two module lines', 'module example.com/m\nmodule example.com/m\n'],
    ['a raw string', 'module `example.com/m`\n'],
    ['a version that the path cannot have', 'module example.com/m\nrequire example.com/a v2.0.0\n'],
    ['no version', 'module example.com/m\nrequire example.com/a latest\n'],
    ['two go lines', 'go 1.21\ngo 1.22\n'],
    ['a go line that is none', 'go one\n'],
  ]
  for (const [why, goMod] of table) t.equal(readGoMod(goMod), undefined, why)
})

t.test('what go passes over is passed over', async (t) => {
  const nothing = { requires: [], retracts: [] }
  const table: [why: string, goMod: string][] = [
    ['an unknown directive', 'nonsense a b c\n'],
    ['a block of another directive', 'go (\n\t1.21\n)\n'],
    ['a retraction in words of a later go', 'retract >= v1.0.0\n'],
    ['a retraction that is not closed', 'retract [v1.0.0, v1.1.0\n'],
    ['a retraction of no version', 'retract everything\n'],
    ['a toolchain that is none', 'toolchain gcc\n'],
    ['two toolchains on a line', 'toolchain go1.21 go1.22\n'],
    ['no text', ''],
  ]
  for (const [why, goMod] of table) t.strictSame(readGoMod(goMod), nothing, why)
  t.equal(readGoMod('toolchain go1.21\ntoolchain default\n')?.toolchain, 'go1.21', 'the first one counts')
})
