import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Refusal, Unsettled } from '../../src/errors.js'
import { Journal } from '../../src/packages/journal.js'
import { OwnerViews } from '../../src/packages/owner-views.js'
import { queueKey, type Operation } from '../../src/packages/operation.js'
import { Store } from '../../src/store/store.js'
import { withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const PUBLISH: Operation = { op: 'publish', owner: 'a', module: 'example.com/m', version: 'v1.0.0' }
const DELETE: Operation = { ...PUBLISH, op: 'delete' }
const KEY = queueKey(PUBLISH)
const FAILURE = new Error('EIO: i/o error')

/** A journal on a folder of its own. `steps` holds what was called; what is in `fails` rejects. */
function make(more: Partial<Store> = {}, settle?: (entry: Operation) => Promise<void>) {
  const data = memoryFolder()
  for (const folder of ['state/journal', 'state/tmp', 'state/due'])
    mkdirSync(join(data, folder), { recursive: true })
  const steps: string[] = []
  const log: string[] = []
  const fails = new Set<string>()
  const step = async (name: string): Promise<void> => {
    steps.push(name)
    if (fails.has(name)) throw name === 'claim' ? new Refusal(409, 'exists already') : FAILURE
  }
  const store = withMethods(new Store(data), more)
  const journal = new Journal(
    store,
    (level, event) => void log.push(`${level} ${event}`),
    new OwnerViews(store, () => {}, {}),
    settle ?? (({ op }) => step(`settle ${op}`)),
  )
  const folder = join(data, 'state/journal')
  const entries = (): unknown[] =>
    readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown)
  const common = {
    prepare: async () => {
      await step('prepare')
      return 'prepared'
    },
    drop: (prepared: string) => step(`drop ${prepared}`),
  }
  const publish = (): Promise<void> =>
    journal.publish({
      entry: PUBLISH,
      ...common,
      claim: () => step('claim'),
      prune: () => step('prune'),
      place: (prepared, entry) => {
        t.same(
          JSON.parse(readFileSync(store.at(entry), 'utf8')),
          PUBLISH,
          'the entry is written before it is placed',
        )
        return step(`place ${prepared}`)
      },
      withdraw: () => step('withdraw'),
    })
  const remove = (): Promise<void> =>
    journal.remove({
      entry: DELETE,
      ...common,
      withdraw: (prepared = 'nothing') => step(`withdraw ${prepared}`),
    })
  return { data, folder, journal, steps, log, fails, entries, publish, remove }
}

type Row = {
  what: string
  fails: string[]
  steps: string[]
  /** What it rejects with: the step's own error, or one that says that something is left. */
  error?: 'its own' | 'unsettled'
  entries: Operation[]
}

t.test('a publish takes back what came before the step that failed', async (t) => {
  const [begun, taken] = [
    ['prepare', 'claim', 'place prepared'],
    ['drop prepared', 'withdraw'],
  ]
  const table: Row[] = [
    { what: 'nothing fails', fails: [], steps: begun, entries: [] },
    { what: 'prepare', fails: ['prepare'], steps: ['prepare', 'prune'], error: 'its own', entries: [] },
    {
      what: 'claim',
      fails: ['claim'],
      steps: ['prepare', 'claim', 'drop prepared', 'prune'],
      error: 'its own',
      entries: [],
    },
    { what: 'place', fails: ['place prepared'], steps: [...begun, ...taken], error: 'its own', entries: [] },
    {
      what: 'place and withdraw',
      fails: ['place prepared', 'withdraw'],
      steps: [...begun, ...taken],
      error: 'unsettled',
      entries: [DELETE],
    },
    {
      what: 'place and drop',
      fails: ['place prepared', 'drop prepared'],
      steps: [...begun, 'drop prepared'],
      error: 'unsettled',
      entries: [DELETE],
    },
    {
      what: 'claim and prune',
      fails: ['claim', 'prune'],
      steps: ['prepare', 'claim', 'drop prepared', 'prune'],
      error: 'unsettled',
      entries: [PUBLISH],
    },
  ]
  for (const row of table) await check(t, row, 'publish')
})

t.test('a delete that has begun is never undone', async (t) => {
  const table: Row[] = [
    { what: 'nothing fails', fails: [], steps: ['prepare', 'withdraw prepared'], entries: [] },
    { what: 'prepare', fails: ['prepare'], steps: ['prepare'], error: 'its own', entries: [] },
    {
      what: 'withdraw, and it is finished',
      fails: ['withdraw prepared'],
      steps: ['prepare', 'withdraw prepared', 'drop prepared', 'withdraw nothing'],
      error: 'unsettled',
      entries: [DELETE],
    },
    {
      what: 'withdraw twice',
      fails: ['withdraw prepared', 'withdraw nothing'],
      steps: ['prepare', 'withdraw prepared', 'drop prepared', 'withdraw nothing'],
      error: 'unsettled',
      entries: [DELETE],
    },
  ]
  for (const row of table) await check(t, row, 'remove')
})

async function check(t: Test, row: Row, how: 'publish' | 'remove'): Promise<void> {
  const { what, error } = row
  const made = make()
  for (const name of row.fails) made.fails.add(name)
  const thrown: unknown = await made[how]().then(
    () => undefined,
    (problem: unknown) => problem,
  )
  t.equal(thrown instanceof Unsettled, error === 'unsettled', what)
  t.equal(thrown !== undefined, error !== undefined, what)
  if (thrown) t.match((thrown as Error).message, /EIO|exists already/, `${what}: the reason is told`)
  t.same(made.steps, row.steps, what)
  t.same(made.entries(), row.entries, `${what}: entries`)
  t.equal(made.log.length, error === 'unsettled' ? 1 : 0, what)
}

t.test('an entry that cannot be written stops it before anything is claimed', async (t) => {
  for (const how of ['publish', 'remove'] as const) {
    const made = make({ record: () => Promise.reject(FAILURE) })
    await t.rejects(made[how](), FAILURE)
    t.same(
      made.steps,
      how === 'publish' ? ['prepare', 'drop prepared', 'prune'] : ['prepare', 'drop prepared'],
    )
  }
})

t.test('what is left is settled before the next change of its key', async (t) => {
  const { journal, steps, fails, entries, publish, log } = make()
  fails.add('place prepared').add('withdraw').add('settle delete')
  await t.rejects(publish(), Unsettled)
  steps.length = 0
  let ran = false
  const change = async (): Promise<void> => void (ran = true)
  await t.rejects(journal.alone(KEY, change), FAILURE, 'no change while it cannot be settled')
  t.equal(journal.unsettled, 1)
  t.notOk(ran)
  t.same(entries(), [DELETE], 'it is kept')
  await journal.alone('go a example.com/other', change)
  t.ok(ran, 'another key does not wait')
  fails.clear()
  t.equal(await journal.alone(KEY, async () => 'its result'), 'its result')
  t.same(entries(), [])
  t.equal(log.at(-1), 'info settled')
  t.equal(journal.unsettled, 0)
  await journal.alone(KEY, change)
  t.same(steps, ['settle delete', 'settle delete'], 'once it is settled it stays so')
})

t.test('changes of one key run one after the other, also after one failed', async (t) => {
  const { journal } = make()
  const events: string[] = []
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const first = journal.alone(KEY, async () => {
    await held
    events.push('first')
    throw FAILURE
  })
  const second = journal.alone(KEY, async () => void events.push('second'))
  let isIdle = false
  const idle = journal.idle((key) => key === KEY).then(() => (isIdle = true))
  await journal.idle((key) => key !== KEY)
  t.notOk(isIdle)
  release()
  await t.rejects(first, FAILURE)
  await second
  await idle
  t.same(events, ['first', 'second'])
})

t.test('a start settles what is whole and ours', async (t) => {
  const table: [what: string, content: string, steps: string[], left: boolean, logged: string[]][] = [
    ['a publish', JSON.stringify(PUBLISH), ['settle publish'], false, ['info settled']],
    ['a delete', JSON.stringify(DELETE), ['settle delete'], false, ['info settled']],
    ['an entry cut off', JSON.stringify(PUBLISH).slice(0, -5), [], false, []],
    ['an empty file', '', [], false, []],
    ['zeros', '\0'.repeat(100), [], false, []],
    ['another operation', '{"op":"dance"}', [], true, ['warn not a journal entry']],
    ['no operation', 'null', [], true, ['warn not a journal entry']],
  ]
  for (const [what, content, steps, left, logged] of table) {
    const made = make()
    writeFileSync(join(made.folder, 'entry.json'), content)
    await made.journal.settleAll()
    t.same(made.steps, steps, what)
    t.same(readdirSync(made.folder), left ? ['entry.json'] : [], what)
    t.same(made.log, logged, what)
    await made.journal.settleAll()
    t.same(made.steps, steps, `${what}: a second run changes nothing`)
  }
})

t.test('a start settles several packages at once, and one package in turn', async (t) => {
  const running = new Map<string, number>()
  const all = new Set<string>()
  let mostOfOne = 0
  let begin = (): void => {}
  const allBegun = new Promise<void>((resolve) => (begin = resolve))
  const { folder, journal, log } = make({}, async (entry) => {
    const key = queueKey(entry)
    const now = (running.get(key) ?? 0) + 1
    running.set(key, now)
    mostOfOne = Math.max(mostOfOne, now)
    if (all.add(key).size === 3) begin()
    await allBegun // a settlement that waits for the others ends only when they run beside it
    running.set(key, now - 1)
  })
  for (let nth = 0; nth < 9; nth++) {
    const entry: Operation = { ...PUBLISH, module: `example.com/m${nth % 3}`, version: `v1.${nth}.0` }
    writeFileSync(join(folder, `${nth}.json`), JSON.stringify(entry))
  }
  await journal.settleAll()
  t.equal(mostOfOne, 1)
  t.same(log, Array(9).fill('info settled'))
  t.same(readdirSync(folder), [])
})

t.test('what cannot be settled at the start does not hold up the rest', async (t) => {
  const { folder, journal, fails, steps, log, entries } = make()
  const other: Operation = { ...DELETE, module: 'example.com/other' }
  writeFileSync(join(folder, '1.json'), JSON.stringify(PUBLISH))
  writeFileSync(join(folder, '2.json'), JSON.stringify(other))
  fails.add('settle publish')
  await journal.settleAll()
  t.same(steps.sort(), ['settle delete', 'settle publish'])
  t.same(entries(), [PUBLISH])
  t.same(log.sort(), ['error could not be settled: tried again by the next request for it', 'info settled'])
  fails.clear()
  await journal.alone(KEY, async () => {})
  t.same(entries(), [])
})
