// Requests for a service with 10,000 accounts, against one with a single account. They need no body and change nothing,
// so what they cost is the check of their credentials.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accountText } from '../../src/access/rights.js'
import { hashToken, tokenHint } from '../../src/access/token.js'
import { accountFile } from '../../src/layout.js'
import { AUTH, TOKEN } from '../../test/support/http.js'
import { startPlinth, type Plinth } from '../../test/support/plinth.js'
import { until } from '../../test/support/until.js'
import { expecting } from './answers.js'
import { forgetPeak, peakOf } from './processes.js'
import { inTurns, timed, type Bench, type Row, type Scale } from './row.js'

const WORKERS = 8
const PATH = '/api/packages/admin/generic/none/1/file'

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

/** Writes the files of accounts as a restored backup would, and waits until the service has derived what nginx reads. */
async function addAccounts({ data, cli, ask }: Plinth, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const name = `account-${i}`
    const token = `token-of-${name}`
    const rights = { admin: false, read: [], write: ['admin'] }
    const created = new Date().toISOString()
    const text = accountText({ name, hash: hashToken(token), hint: tokenHint(token), ...rights, created })
    writeFileSync(join(data, accountFile(name)), text, { mode: 0o600 })
  }
  cli('access', 'rebuild')
  const auth = `Bearer token-of-account-${count - 1}`
  await until(async () => (await ask('DELETE', PATH, { auth })).status === 404)
}

export const accounts: Bench = {
  name: 'accounts',
  what: 'requests for a service with 10,000 accounts, right and wrong ones',
  needs: ['nginx'],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const count = size(10_000, 100)
    const requests = size(600, 20)
    const [one, many] = [await startPlinth(), await startPlinth()]
    await addAccounts(many, count)
    for (const [what, auth, status] of [
      ['right account:token', AUTH, 404],
      ['right token alone', `Bearer ${TOKEN}`, 404],
      ['wrong account:token', basic('admin:wrong'), 401],
      ['unknown account', basic('nobody:wrong'), 401],
      ['wrong token alone', 'Bearer wrong', 401],
    ] as const) {
      const rate = (plinth: Plinth) => async (): Promise<number> => {
        let left = requests
        const worker = async (): Promise<void> => {
          while (left-- > 0) await expecting(status, plinth.ask('DELETE', PATH, { auth }))
        }
        return requests / ((await timed(() => Promise.all(Array.from({ length: WORKERS }, worker)))) / 1000)
      }
      forgetPeak(many.shimPid())
      const { ours, base } = await inTurns(rounds(9), { ours: rate(many), base: rate(one) })
      const name = `requests with ${what}, ${count} accounts`
      const beside = { base, baseName: 'one account', goal: '≥ 0.9' }
      yield { name, unit: '/s', ours, ...beside, ...peakOf(many.shimPid()) }
    }
    const adding = (plinth: Plinth) => {
      let added = 0
      return (): Promise<number> =>
        timed(async () => plinth.cli('account', 'add', `new-${++added}`, '--read', 'team'))
    }
    const times = await inTurns(rounds(5), { ours: adding(many), base: adding(one) })
    const name = `account add, beside ${count} accounts`
    yield { name, unit: 'ms', ours: times.ours, base: times.base, baseName: 'beside one account' }
    await one.stop()
    await many.stop()
  },
}
