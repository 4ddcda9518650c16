// Every single call on files that publishing and deleting make fails once, in the running service: what it answers is
// true, the next request finds everything in order, and nothing is left. Calls that only look are made in the same
// way by several steps: they fail in some of these, or in all with PLINTH_TEST_ALL_FAULTS=1.

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { simpleModule } from '../support/zips.js'
import {
  forgetTombstonesOf,
  isRefresh,
  lostPromises,
  makeImmutable,
  nextOf,
  outcome,
  RECORDING,
  steps,
  wayBack,
  type Act,
  type Step,
} from './steps.js'
import { makeDatabase } from '../support/checksum-database.js'
import { until } from '../support/until.js'
import { needs } from '../support/programs.js'
import { writtenFiles } from './known-ids.js'
import { settledViolations, viewProblems, violations } from '../support/invariants.js'
import { askService, newData, runService, type Result, type Service } from '../support/service.js'
import { hitAll, poolThread, traced, type Call } from './strace.js'

const IDS = new URL('./known-ids.js', import.meta.url).href

async function request(data: string, act: Act): Promise<Result> {
  if ('module' in act) {
    if (act.op === 'publish')
      return askService(
        data,
        'PUT',
        '/api/packages/admin/go/upload',
        await simpleModule(act.module, act.version),
      )
    const module = act.module.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)
    return askService(data, 'DELETE', `/api/packages/admin/go/${module}/@v/${act.version}`)
  }
  const version = `/api/packages/admin/generic/${act.name}/${act.version}`
  if (act.op === 'publish') return askService(data, 'PUT', `${version}/${act.file}`, act.file)
  return askService(data, 'DELETE', act.file === undefined ? version : `${version}/${act.file}`)
}

const isDone = ({ status }: Result): boolean => status === 201 || status === 204

/** What the failing call may have made impossible to take away at once: the sweep does it. */
const isTemp = (problem: string): boolean => problem.startsWith('state/tmp/')

/** Resolves when the views of the owner have followed its packages. */
const viewsFollow = (data: string): Promise<void> =>
  until(() => readdirSync(join(data, 'state/due')).length === 0)

/** Steps in which calls that only look fail, too. */
const WITH_LOOKS = [
  'publish a second version',
  'delete the last version',
  'publish a file',
  'delete one of two files',
  'publish a version that is recorded',
  'delete a version of an immutable owner',
]
const ALL = process.env['PLINTH_TEST_ALL_FAULTS'] === '1'

async function start(data: string): Promise<{ service: Service; thread: number }> {
  const service = runService(data, {
    UV_THREADPOOL_SIZE: '1',
    NODE_OPTIONS: `--import=${IDS}`,
    PLINTH_INBOX: '0', // it looks by itself
  })
  await service.ready()
  const thread = await poolThread(service.pid, () =>
    askService(data, 'PUT', '/api/packages/admin/generic/x/1/x', 'x'),
  )
  await askService(data, 'DELETE', '/api/packages/admin/generic/x/1')
  return { service, thread }
}

async function failEverywhere(t: Test, wanted: Step) {
  const data = await newData({ fast: true })
  if (wanted.isRecorded) await makeDatabase(data)
  if (wanted.immutable) makeImmutable(data)
  const seen = new Map<number, string>()
  let step = nextOf(wanted)
  let { service, thread } = await start(data)
  t.teardown(() => service.kill('SIGKILL')) // this process would wait for one that was left
  const problems: string[] = []
  const answers: Record<number, number> = {}
  let stopped = 0
  const trace = async (inject: string[]): Promise<Call[]> => {
    const found: string[] = []
    let answer: Result | undefined
    step = nextOf(wanted)
    forgetTombstonesOf(data, step)
    const calls = await traced(thread, data, inject, async () => {
      answer = await request(data, step.act)
      await viewsFollow(data) // so a recording has all of the refresh, on a slow machine and on a fast one
    })
    if (answer) answers[answer.status] = (answers[answer.status] ?? 0) + 1
    // The state is looked at before any other request comes: only what was said to be unknown may be.
    const unknown = answer !== undefined && /not known yet/.test(answer.body)
    if (answer && !unknown) {
      // What was recorded of a version that was not published is shown by the next publish.
      const isBehind = wanted.isRecorded && !isDone(answer)
      if (!isBehind) found.push(...violations(data, seen).filter((problem) => !isTemp(problem)))
      if (outcome(data, step) !== (isDone(answer) ? 'done' : 'not done'))
        found.push(`this is not so: ${answer.status}`)
    }
    // The same once more: the answer says what is there, whatever was left.
    let again = await request(data, step.act)
    if (/until the service is started again/.test(again.body)) {
      stopped++
      await service.end('SIGKILL')
      ;({ service, thread } = await start(data))
      again = await request(data, step.act)
    }
    const expected = answer && isDone(answer) ? [409, 404] : unknown ? [201, 204, 409, 404] : [201, 204]
    if (!expected.includes(again.status)) found.push(`again: ${again.status} ${again.body}`)
    await viewsFollow(data)
    found.push(...violations(data, seen).filter((problem) => !isTemp(problem)), ...(await viewProblems(data)))
    found.push(...lostPromises(data, step))
    for (const act of wayBack(data, step)) {
      const result = await request(data, act)
      if (!isDone(result)) found.push(`back: ${result.status} ${result.body}`)
    }
    await viewsFollow(data)
    // What only a sweep takes away would be in the way when its name comes again. The service may be faster.
    for (const name of readdirSync(join(data, 'state/tmp')))
      rmSync(join(data, 'state/tmp', name), { recursive: true, force: true })
    const what = `${inject.slice(0, 2).join(' ')} → ${answer?.status} ${answer?.body.trim()}`
    problems.push(...found.map((problem) => `${what}: ${problem}`))
    return calls
  }
  for (const act of wayBack(data, step)) await request(data, act)
  await viewsFollow(data)
  await trace([])
  const { hit, missed } = await hitAll(data, trace, 'error=EIO', writtenFiles(data), {
    without: ALL || WITH_LOOKS.includes(step.name) ? [] : ['look'],
    ...(!step.withRefresh && { end: isRefresh }),
    ...(wanted.isRecorded && { on: RECORDING }),
  })
  if (service.log().includes('"event":"stopping"')) problems.push('the service ended')
  await service.end('SIGTERM')
  const next = runService(data)
  await next.ready()
  problems.push(...(await settledViolations(data, seen))) // temp files too: the start has swept
  await next.end()
  if (wanted.isRecorded && stopped === 0) problems.push('no sync of the log failed')
  return { problems, hit, missed, answers }
}

t.test('a fault at every call on files', needs('strace'), async (t) => {
  let points = 0
  for (const step of steps) {
    const { problems, hit, missed, answers } = await failEverywhere(t, step)
    t.same(problems, [], step.name)
    t.same(missed, [], `${step.name}: all points were hit`)
    t.comment(`${step.name}: failed at ${hit} points, answers: ${JSON.stringify(answers)}`)
    points += hit
  }
  t.comment(`failed at ${points} points in all`)
})
