import { Registry } from 'prom-client'
import t from 'tap'
import { serviceSources, type MetricsParts } from '../../src/metrics/service-sources.js'

const DAY = 24 * 3600 * 1000

/** What the sources tell of parts that are not real. Those of other sources are absent. */
async function told(parts: object, lines = /^plinth_(?!nginx|ready|started)/): Promise<string[]> {
  const registry = new Registry()
  const sources = serviceSources({ registry, log: () => {} }, {
    config: { runtime: 'state' },
    ...parts,
  } as MetricsParts)
  for (const source of sources) await source.collect()
  return (await registry.metrics()).split('\n').filter((line) => lines.test(line))
}

t.test('recovery is settled when requests are taken and nothing is left', async (t) => {
  for (const [isRecovered, unsettled, settled] of [
    [true, 0, 1],
    [false, 0, 0],
    [true, 2, 0],
  ] as const) {
    const store = { names: async () => ['a', 'b', 'c'] }
    t.same(await told({ store, journal: { unsettled }, isRecovered: () => isRecovered }), [
      'plinth_journal_entries 3',
      `plinth_journal_unsettled ${unsettled}`,
      `plinth_recovery_settled ${settled}`,
    ])
  }
})

t.test('each check of /-/ready, and nothing but the service while it starts or stops', async (t) => {
  const readiness = {
    report: async () => ({
      ready: false,
      checks: [
        { name: 'lock', ok: true },
        { name: 'disk', ok: false, reason: 'full' },
      ],
    }),
  }
  const ready = (isRecovered: boolean): Promise<string[]> =>
    told({ readiness, isRecovered: () => isRecovered }, /^plinth_ready/)
  t.same(await ready(true), [
    'plinth_ready{check="lock"} 1',
    'plinth_ready{check="disk"} 0',
    'plinth_ready{check="service"} 1',
  ])
  t.same(await ready(false), ['plinth_ready{check="service"} 0'])
})

t.test('views are behind by the oldest change', async (t) => {
  const behind = async (since: number[]): Promise<string[]> =>
    told({ ownerViews: { behindSince: async () => since } })
  t.same(await behind([]), ['plinth_views_due_owners 0', 'plinth_views_behind_seconds 0'])
  const [owners, seconds = ''] = await behind([Date.now() - 60_000, Date.now() - 5000])
  t.equal(owners, 'plinth_views_due_owners 2')
  const age = Number(seconds.split(' ')[1])
  t.ok(age >= 60 && age < 120, seconds)
  const [, none] = await behind([Date.now() + DAY])
  t.equal(none, 'plinth_views_behind_seconds 0', 'a clock that was set back')
})

t.test('accounts that expire soon, and that have expired', async (t) => {
  const now = Date.now()
  const expiries = [-DAY, -1, DAY, 13 * DAY, 15 * DAY].map((ms) => now + ms)
  t.same(await told({ keeper: { figures: { accounts: 9, damaged: 1, expiries } } }), [
    'plinth_accounts 9',
    'plinth_accounts_damaged 1',
    'plinth_accounts_expiring 2',
    'plinth_accounts_expired 2',
  ])
})

t.test('checksum databases that record, and that cannot', async (t) => {
  const databases = { owners: () => ['a', 'b', 'c'], refusing: [{ owner: 'b', reason: 'damaged' }] }
  t.same(await told({ databases }), ['plinth_checksum_databases 2', 'plinth_checksum_databases_refusing 1'])
})

t.test('what the service before this one came to', async (t) => {
  for (const followsCrash of [true, false])
    t.same(await told({ followsCrash }, /^plinth_started/), [
      `plinth_started_after_crash ${followsCrash ? 1 : 0}`,
    ])
})
