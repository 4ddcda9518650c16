// Which toolchain go switches to, by the lines of go.mod and go.work.

import t from 'tap'
import { toolchainFor, toolchainVersion } from '../../src/collect/toolchains.js'

t.test('the toolchain that go switches to', async (t) => {
  const cases: [go: string | undefined, toolchain: string | undefined, expected: string | undefined][] = [
    [undefined, undefined, undefined],
    ['1.20', undefined, undefined], // go knows toolchains from 1.21 on
    ['1.21', undefined, undefined], // and whoever switches has that one
    ['1.21.0', undefined, undefined],
    ['1.21.1', undefined, 'go1.21.1'],
    ['1.25', undefined, 'go1.25.0'], // no release is named go1.25
    ['1.25rc1', undefined, 'go1.25rc1'],
    ['1.25.5', 'default', 'go1.25.5'],
    ['1.20', 'go1.25.5', 'go1.25.5'],
    ['1.24.0', 'go1.25.5', 'go1.25.5'],
    ['1.25.10', 'go1.25.9', 'go1.25.10'],
    ['1.25.0', 'go1.25rc2', 'go1.25.0'],
    ['1.25beta1', 'go1.25rc1', 'go1.25rc1'],
    ['1.9.9', 'go1.21rc4', undefined],
    ['2.0.1', 'go1.99.9', 'go2.0.1'],
  ]
  for (const [go, toolchain, expected] of cases)
    t.equal(toolchainFor({ go, toolchain }), expected, `go ${go}, toolchain ${toolchain}`)
  t.throws(
    () => toolchainFor({ go: '1.25', toolchain: 'go1.25.1-corp' }),
    /no proxy has the toolchain go1\.25\.1-corp/,
  )
  t.throws(() => toolchainFor({ toolchain: 'local' }), /no proxy has/)
})

t.test('the version by which a proxy has it', async (t) => {
  t.equal(toolchainVersion('go1.25.5', 'linux/amd64'), 'v0.0.1-go1.25.5.linux-amd64')
})
