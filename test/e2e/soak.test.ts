// A short run of the soak. How long writes take is not judged here: a test runs beside other tests.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { plainNode } from '../support/cli.js'
import { needs } from '../support/programs.js'

const MAIN = fileURLToPath(new URL('../../scripts/soak/main.js', import.meta.url))

function soak(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(...plainNode(MAIN, ...words), { encoding: 'utf8' })
  return { status, stdout, stderr }
}

t.test('one attack for two seconds', needs('nginx'), async (t) => {
  const { status, stdout, stderr } = soak('--attack', 'odd-requests', '--seconds', '2')
  t.match(stdout, /^odd-requests: odd methods/)
  t.match(stdout, /without it: \d+ reads \(p99 .*\), \d+ writes \(p50 /)
  t.match(stdout, /attacked: {3}\d+ reads .*, \d+ writes /)
  t.match(stdout, /afterwards: service \d+ MB .*; tmp 0, journal 0; 256 slots free/)
  const broken = stdout.split('\n').filter((line) => /BROKEN/.test(line) && !/writes took over/.test(line))
  t.same(broken, [], stdout + stderr)
  t.not(status, 2)
})

t.test('words that it does not know', async (t) => {
  const { status, stdout, stderr } = soak('--attack', 'nothing')
  t.equal(status, 2)
  t.equal(stdout, '')
  t.match(stderr, /^plinth soak: there is no attack "nothing"; npm run soak -- --help\n$/)
})

t.test('--help lists the attacks', async (t) => {
  const { status, stdout } = soak('--help')
  t.equal(status, 0)
  t.match(stdout, /^ {2}killed-service {3}kill -9/m)
})
