// The run: the checks, the faults in rounds, the figures, and at the end a look at every file.

import { loadavg } from 'node:os'
import { messageOf } from '../../src/errors.js'
import { bucketFollows } from './bucket.js'
import { accessHereReadThere, publishHereReadThere } from './checks.js'
import { Cluster } from './cluster.js'
import { FAULTS, type Fault } from './faults.js'
import { edgeFigures, listFigures, publishFigures, quantile, readFigures, type Figure } from './figures.js'
import { publishStill } from './load.js'
import type { Options } from './options.js'
import { runRound, type Round } from './rounds.js'
import { untilWithin } from './within.js'

export const CHECKS = ['publish', 'access', 'bucket', 'figures'] as const
type CheckName = (typeof CHECKS)[number]

/** How often access is changed on one machine and read on both. */
const ACCESS_CHANGES = 10
/** How many problems of one kind are told. */
const TOLD = 8

class Verdict {
  /** Broken promises, in the order in which they were seen. */
  readonly broken: string[] = []
  /** Times over their goals. */
  readonly late: string[] = []
}

const say = (line: string): void => {
  const time = new Date().toISOString().slice(11, 19)
  process.stdout.write(`${time} ${line}\n`)
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1)

/** Resolves with the exit code. `folder` is empty, and for this run alone. */
export async function runSuite(folder: string, options: Options): Promise<number> {
  const { only, rounds, publishes, strict } = options
  const wants = (name: CheckName): boolean => only.length === 0 || only.includes(name)
  const verdict = new Verdict()
  const cluster = new Cluster(folder, options.ceph, say)
  await cluster.start()
  const [first] = cluster.members
  await untilWithin(60, 'the first upload', async () => (await publishStill(first.address)) === 201)
  const attempt = async (what: string, work: () => Promise<readonly string[]>): Promise<void> => {
    try {
      const problems = await work()
      for (const problem of problems.slice(0, TOLD)) say(`BROKEN: ${problem}`)
      say(`${what}: ${problems.length === 0 ? 'kept' : `BROKEN ${problems.length} times`}`)
      verdict.broken.push(...problems.slice(0, TOLD).map((problem) => `${what}: ${problem}`))
    } catch (error) {
      say(`${what}: FAILED: ${messageOf(error)}`)
      verdict.broken.push(`${what}: ${messageOf(error)}`)
    }
  }
  if (wants('publish'))
    await attempt(`${publishes} published here, read there`, () => publishHereReadThere(cluster, publishes))
  if (wants('access'))
    await attempt('access changed here, read there', () => accessHereReadThere(cluster, ACCESS_CHANGES))
  if (wants('bucket')) await attempt('a bucket of the gateway follows', () => bucketFollows(cluster))
  const figures: Figure[] = []
  if (wants('figures')) {
    const measured = [
      () => publishFigures(cluster, folder),
      () => readFigures(cluster),
      () => listFigures(cluster),
      () => edgeFigures(cluster),
    ]
    for (const measure of measured)
      await attempt('measured', async () => {
        figures.push(...(await measure()))
        return []
      })
  }
  const lines: string[] = []
  for (const fault of FAULTS.filter(({ name }) => only.length === 0 || only.includes(name)))
    lines.push(await runFault(cluster, fault, rounds, verdict))
  await attempt('verify', () => verify(cluster))
  for (const figure of figures.filter(({ reached }) => !reached))
    verdict.late.push(`${figure.name}: ${figure.value}, goal ${figure.goal}`)
  tell(lines, figures, verdict, strict)
  return verdict.broken.length > 0 || (strict && verdict.late.length > 0) ? 1 : 0
}

/** Resolves with the fault's line of the table. */
async function runFault(cluster: Cluster, fault: Fault, rounds: number, verdict: Verdict): Promise<string> {
  const done: Round[] = []
  for (let nth = 1; nth <= rounds; nth++) {
    const what = `${fault.name}, round ${nth} of ${rounds}`
    try {
      const round = await runRound(cluster, fault, nth)
      done.push(round)
      const failed = round.failedReads.map((problem) => `a read failed: ${problem}`)
      verdict.broken.push(...[...round.broken, ...failed.slice(0, TOLD)].map((text) => `${what}: ${text}`))
      if (round.stoppedMs > fault.goal * 1000)
        verdict.late.push(`${what}: no 201 for ${seconds(round.stoppedMs)} s, goal ${fault.goal} s`)
      for (const text of [...round.broken, ...failed.slice(0, TOLD)]) say(`BROKEN: ${text}`)
      say(
        `${what}: 201s stopped for ${seconds(round.stoppedMs)} s, ${round.acknowledged} acknowledged, ` +
          `${failed.length} of ${round.reads} reads failed, ${round.broken.length} promises broken`,
      )
    } catch (error) {
      say(`${what}: FAILED: ${messageOf(error)}`)
      verdict.broken.push(`${what}: ${messageOf(error)}`)
      await cluster.makeWhole()
    }
  }
  return faultLine(fault, done)
}

function faultLine({ name, goal, reads }: Fault, rounds: readonly Round[]): string {
  const stopped = rounds.map(({ stoppedMs }) => stoppedMs)
  const failed = rounds.flatMap(({ failedReads }) => failedReads).length
  const all = rounds.reduce((sum, round) => sum + round.reads, 0)
  const slowest = seconds(Math.max(0, ...rounds.map(({ slowestReadMs }) => slowestReadMs)))
  const cells = [
    name,
    String(rounds.length),
    `${seconds(quantile(stopped, 0.5))} / ${seconds(Math.max(...stopped))} s`,
    `${goal} s`,
    reads === 'none' ? 'not judged' : `${failed} of ${all}`,
    reads === 'none' ? '' : `${slowest} s`,
    String(rounds.reduce((sum, round) => sum + round.acknowledged, 0)),
    String(rounds.flatMap(({ broken }) => broken).length),
  ]
  return `| ${cells.join(' | ')} |`
}

async function verify(cluster: Cluster): Promise<string[]> {
  const { active } = await cluster.roles()
  const said = await active.cli('verify').catch((error: unknown) => {
    const { stdout = '' } = error as { stdout?: string }
    return `${stdout}\n${messageOf(error)}`
  })
  say(said.trim().split('\n').slice(-3).join(' / '))
  return /: 0 faults$/m.test(said) ? [] : said.trim().split('\n')
}

function tell(lines: readonly string[], figures: readonly Figure[], verdict: Verdict, strict: boolean): void {
  const out = [
    '',
    '| fault | rounds | 201s stop for, p50 / max | goal | failed reads | slowest read | 201s | promises broken |',
    '|---|---|---|---|---|---|---|---|',
    ...lines,
    '',
    '| figure | value | goal |',
    '|---|---|---|',
    ...figures.map(
      ({ name, value, goal, reached }) => `| ${name} | ${value} | ${goal}${reached ? '' : ', missed'} |`,
    ),
    '',
    `load of this machine at the end: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
    ...verdict.late.map((text) => `${strict ? 'TOO SLOW' : 'slow'}: ${text}`),
    ...verdict.broken.map((text) => `BROKEN: ${text}`),
    verdict.broken.length === 0 ? 'every promise was kept' : `${verdict.broken.length} promises were broken`,
  ]
  process.stdout.write(`${out.join('\n')}\n`)
}
