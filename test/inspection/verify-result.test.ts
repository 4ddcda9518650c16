import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { NOTHING_INSPECTED, type InspectionEvent } from '../../src/inspection/finding.js'
import { readVerifyResults, rememberingResult } from '../../src/inspection/verify-result.js'
import { Store } from '../../src/store/store.js'
import { memoryFolder } from '../support/temp-folder.js'

const totals = { ...NOTHING_INSPECTED, faults: 3 }

async function* events(...done: boolean[]): AsyncGenerator<InspectionEvent> {
  for (const each of done) yield { totals, done: each }
}

const makeStore = async (): Promise<Store> => {
  const store = new Store(memoryFolder())
  await store.prepare()
  return store
}

const run = async (
  store: Store,
  given: AsyncGenerator<InspectionEvent>,
  lines: string[] = [],
  part: { since?: number; sample?: object } = {},
) => {
  const log = (level: string, event: string): void => void lines.push(`${level} ${event}`)
  const seen: InspectionEvent[] = []
  for await (const event of rememberingResult({ store, log }, given, part)) seen.push(event)
  return seen
}

t.test('the last verify that ended', async (t) => {
  const store = await makeStore()
  t.same(await readVerifyResults(store), { whole: undefined, part: undefined })
  const before = Date.now()
  t.equal((await run(store, events(false, true))).length, 2, 'all events are passed on')
  const { whole: result, part } = await readVerifyResults(store)
  t.equal(part, undefined)
  t.equal(result?.findings, 3)
  t.ok(Date.parse(result?.time ?? '') >= before && Date.parse(result?.time ?? '') <= Date.now())
  t.ok((result?.seconds ?? -1) >= 0)

  async function* failing(): AsyncGenerator<InspectionEvent> {
    yield { totals, done: false }
    throw new Error('stopped')
  }
  await t.rejects(run(store, failing()), /stopped/)
  for await (const _event of rememberingResult({ store, log: () => {} }, events(false, true))) break
  t.same((await readVerifyResults(store)).whole, result, 'one that did not end leaves it')
})

t.test(
  'a verify of a part is not taken for one of everything, and goes with the next one of everything',
  async (t) => {
    for (const part of [{ since: 5 }, { sample: { share: 0.01, seed: 'x' } }]) {
      const store = await makeStore()
      await run(store, events(true), [], part)
      t.match(await readVerifyResults(store), { whole: undefined, part: { findings: 3 } })
      await run(store, events(true))
      t.match(await readVerifyResults(store), { whole: { findings: 3 }, part: undefined })
      const { whole } = await readVerifyResults(store)
      await run(store, events(true), [], part)
      t.match(await readVerifyResults(store), { whole, part: { findings: 3 } })
    }
  },
)

t.test('what a part has found stays until everything was verified', async (t) => {
  const store = await makeStore()
  async function* found(faults: number): AsyncGenerator<InspectionEvent> {
    yield { totals: { ...totals, faults }, done: true }
  }
  const since = { since: 5 }
  await run(store, found(2), [], since)
  const { part: first } = await readVerifyResults(store)
  await run(store, found(0), [], since)
  const { part: second } = await readVerifyResults(store)
  t.equal(second?.findings, 2, 'of which this part had none')
  t.ok((second?.time ?? '') >= (first?.time ?? ''))
  await run(store, found(5), [], since)
  t.equal((await readVerifyResults(store)).part?.findings, 5)
  writeFileSync(join(store.at('state'), 'verify-part.json'), '{')
  await run(store, found(1), [], since)
  t.equal((await readVerifyResults(store)).part?.findings, 1, 'a damaged result is written again')
  await run(store, found(0))
  await run(store, found(0), [], since)
  t.equal((await readVerifyResults(store)).part?.findings, 0)
})

t.test('a disk that takes nothing does not hide what was found', async (t) => {
  const store = await makeStore()
  mkdirSync(store.at('state/verify.json/x'), { recursive: true })
  const lines: string[] = []
  t.equal((await run(store, events(true), lines)).length, 1)
  t.same(lines, ['warn the result of verify could not be kept'])
})

t.test('a damaged result is not believed', async (t) => {
  const store = await makeStore()
  for (const text of [
    '',
    'x',
    '[]',
    'null',
    '{"time":"x","findings":1,"seconds":1}',
    '{"time":"2026-01-01","findings":"1","seconds":1}',
    '{"time":"2026-01-01","findings":1}',
  ]) {
    writeFileSync(join(store.at('state'), 'verify.json'), text)
    await t.rejects(readVerifyResults(store), /damaged/, text)
  }
})
