// A SIGKILL at every single call of publishing and deleting that changes a file or a name, then recovery. A kill at any
// other call leaves what a kill at the next change leaves.
//
// The process that is killed holds the publishers alone (publisher-process.ts): it starts faster than the service.

import t from 'tap'
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
  type Step,
} from './steps.js'
import { startPublisher } from './publisher.js'
import { makeDatabase, shownHeads } from '../support/checksum-database.js'
import { needs } from '../support/programs.js'
import { writtenFiles } from './known-ids.js'
import { viewProblems, violations } from '../support/invariants.js'
import { newData } from '../support/service.js'
import { hitAll, traced, type Call } from './strace.js'

async function killEverywhere(wanted: Step) {
  const data = await newData({ fast: true })
  if (wanted.isRecorded) await makeDatabase(data)
  if (wanted.immutable) makeImmutable(data)
  const seen = new Map<number, string>()
  let step = nextOf(wanted)
  const problems: string[] = []
  let kills = 0
  /** What has to be true after recovery. */
  const check = async (last: string, answer: string | undefined): Promise<void> => {
    const found = [...violations(data, seen), ...(await viewProblems(data))]
    if (last !== 'at first') found.push(...lostPromises(data, step))
    const now = outcome(data, step)
    if (now === undefined) found.push('the act was done by half')
    if (answer === 'done' && now === 'not done') found.push('what was answered is not there')
    problems.push(...found.map((problem) => `${last}: ${problem}`))
  }
  let [last, answer]: [string, string | undefined] = ['at first', undefined]
  const trace = async (inject: string[]): Promise<Call[]> => {
    const publisher = await startPublisher(data)
    await check(last, answer)
    for (const act of wayBack(data, step)) {
      const result = await publisher.act(act)
      if (result !== 'done') problems.push(`after ${last}: ${JSON.stringify(act)}: ${result}`)
    }
    step = nextOf(wanted)
    forgetTombstonesOf(data, step)
    const calls = await traced(
      publisher.thread,
      data,
      inject,
      async () => (answer = await publisher.act(step.act, true)),
    )
    if (answer === undefined) kills++
    await publisher.end()
    if (wanted.isRecorded) for (const [size, root] of shownHeads(data)) seen.set(size, seen.get(size) ?? root)
    last = inject.slice(0, 2).join(' ')
    return calls
  }
  await trace([]) // the first run makes folders that stay
  const { hit, missed } = await hitAll(data, trace, 'signal=KILL', writtenFiles(data), {
    without: ['sync', 'look'],
    ...(!step.withRefresh && { end: isRefresh }),
    ...(wanted.isRecorded && { on: RECORDING }),
  })
  await trace([])
  return { problems, hit, missed, kills }
}

t.test('a kill at every call on files', needs('strace'), async (t) => {
  let points = 0
  for (const step of steps) {
    const { problems, hit, missed, kills } = await killEverywhere(step)
    t.same(problems, [], step.name)
    t.same(missed, [], `${step.name}: all points were hit`)
    t.ok(kills >= hit)
    t.comment(`${step.name}: killed at ${hit} points`)
    points += hit
  }
  t.comment(`killed at ${points} points in all`)
})
