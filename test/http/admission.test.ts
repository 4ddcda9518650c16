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
  const first = admission.upload(one.run)
  const second = admission.upload(two.run)
  let begun = false
  await t.rejects(
    admission.upload(async () => void (begun = true)),
    tooMany,
  )
  t.notOk(begun, 'one that is refused does not begin')
  one.well()
  await first
  t.equal(await admission.upload(async () => 'its result'), 'its result', 'one that ended makes room')
  two.badly(new Error('it failed'))
  await t.rejects(second, { message: 'it failed' })
  const actions = [makeAction(), makeAction()]
  const both = actions.map(({ run }) => admission.upload(run))
  await t.rejects(
    admission.upload(async () => {}),
    tooMany,
    'a failed one makes room for one, not for two',
  )
  for (const { well } of actions) well()
  await Promise.all(both)
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
