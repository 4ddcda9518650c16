import type { Context } from 'koa'
import t from 'tap'
import { Admission } from '../../src/http/admission.js'

const ctx = {} as Context
const refused = (why: RegExp, seconds: string) => ({
  status: 503,
  message: why,
  headers: { 'Retry-After': seconds },
})
const tooMany = refused(/^2 uploads are under way already: try again in 2 s$/, '2')
const share = (has: string) =>
  refused(new RegExp(`^account ci has ${has} under way, which is its share: try again in 2 s$`), '2')
const stopping = refused(/^the service is being stopped or restarted: try again in 5 s$/, '5')

/** An action that lasts until it is told how to end. */
function makeAction() {
  let end = { well: (): void => {}, badly: (_error: Error): void => {} }
  const over = new Promise<void>((resolve, reject) => (end = { well: resolve, badly: reject }))
  return { run: () => over, well: () => end.well(), badly: (error: Error) => end.badly(error) }
}

t.test('only so many uploads are taken at once', async (t) => {
  const admission = new Admission(2)
  const [one, two] = [makeAction(), makeAction()]
  const first = admission.upload('a', one.run)
  const second = admission.upload('b', two.run)
  let begun = false
  await t.rejects(
    admission.upload('c', async () => void (begun = true)),
    tooMany,
  )
  t.notOk(begun, 'one that is refused does not begin')
  one.well()
  await first
  t.equal(await admission.upload('c', async () => 'its result'), 'its result', 'one that ended makes room')
  two.badly(new Error('it failed'))
  await t.rejects(second, { message: 'it failed' })
  const actions = [makeAction(), makeAction()]
  const both = actions.map(({ run }, i) => admission.upload(`account ${i}`, run))
  await t.rejects(
    admission.upload('c', async () => {}),
    tooMany,
    'a failed one makes room for one, not for two',
  )
  for (const { well } of actions) well()
  await Promise.all(both)
})

// Uploads that hang, one after the other as they are accepted: how many each account gets.
for (const { most, accounts, why } of [
  { most: 1, accounts: [1, 0], why: 'where there is one, whoever comes first has it' },
  { most: 2, accounts: [1, 1, 0], why: 'each account has one at least' },
  { most: 8, accounts: [2, 1, 1, 1, 1, 1, 1, 0], why: 'a quarter of what the others leave' },
  { most: 256, accounts: [64, 48, 36, 27, 20, 15, 11, 8], why: 'eight that work together leave a tenth' },
])
  t.test(`of ${most} uploads accounts have ${accounts.join(', ')}: ${why}`, async (t) => {
    const admission = new Admission(most)
    const actions: ReturnType<typeof makeAction>[] = []
    const running: Promise<void>[] = []
    /** Begins another upload of the account. `false` when it is refused. */
    const more = (account: string): Promise<boolean> =>
      new Promise((resolve) => {
        const action = makeAction()
        actions.push(action)
        const upload = admission.upload(account, () => (resolve(true), action.run()))
        running.push(upload.catch(() => resolve(false)))
      })
    const got: number[] = []
    for (const i of accounts.keys()) {
      got[i] = 0
      while (await more(`account ${i}`)) got[i]++
    }
    t.same(got, accounts)
    for (const { well } of actions) well()
    await Promise.all(running)
  })

t.test('who has its share is told so, and others go on', async (t) => {
  for (const what of ['upload', 'delete'] as const) {
    const admission = new Admission(8)
    const slots = what === 'upload' ? 2 : 256
    const actions = Array.from({ length: slots }, makeAction)
    // Four deletes of an account are at the disk, the others wait: all of them count.
    const running = actions.map(({ run }) => admission[what]('ci', run))
    await t.rejects(
      admission[what]('ci', async () => {}),
      share(`${slots} ${what}s`),
    )
    await admission[what]('release', async () => {})
    for (const { well } of actions) well()
    await Promise.all(running)
    await admission[what]('ci', async () => {})
  }
  const one = new Admission(1)
  const action = makeAction()
  const running = one.upload('ci', action.run)
  await t.rejects(
    one.upload('ci', async () => {}),
    refused(/^1 upload is under way already: try again in 2 s$/, '2'),
  )
  action.well()
  await running
})

t.test('an account with much for the disk delays its own, and no other account', async (t) => {
  const admission = new Admission(256)
  const held = Array.from({ length: 64 }, makeAction)
  let begun = 0
  const running = held.map(({ run }) => admission.atDisk('bad', () => (begun++, run())))
  await admission.atDisk('good', async () => {})
  t.equal(begun, 4, 'and has four turns meanwhile')
  for (const { well } of held) well()
  await Promise.all(running)
  t.equal(begun, 64)
})

t.test('after a stop what is under way goes on, and nothing new begins', async (t) => {
  const admission = new Admission(2)
  const action = makeAction()
  const request = admission.count(ctx, action.run)
  admission.stop()
  let begun = false
  await t.rejects(Promise.resolve(admission.count(ctx, async () => void (begun = true))), stopping)
  t.notOk(begun)
  action.well()
  await request
})

t.test('idle when no request is under way', async (t) => {
  const admission = new Admission(2)
  await admission.idle()
  const [one, two] = [makeAction(), makeAction()]
  const first = admission.count(ctx, one.run)
  const second = admission.count(ctx, two.run)
  let isIdle = false
  const idle = admission.idle().then(() => (isIdle = true))
  one.well()
  await first
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(isIdle, 'one is left')
  two.badly(new Error('it failed'))
  await t.rejects(Promise.resolve(second), { message: 'it failed' })
  await idle
  t.ok(isIdle)
  await admission.idle()
})

t.test('one command of an account works at a time, and takes none of its turns at the disk', async (t) => {
  const admission = new Admission(64)
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => (letGo = resolve))
  let begun = 0
  const hanging = Array.from({ length: 8 }, () =>
    admission.command('a', () =>
      admission.commandTurn('a', () => {
        begun++
        return held
      }),
    ),
  )
  t.equal(await admission.atDisk('a', async () => 'published'), 'published')
  t.equal(begun, 1)
  letGo()
  await Promise.all(hanging)
  t.equal(begun, 8)
})
