// Rounds of one fault beside clients: how long uploads stopped, which reads failed, and what was lost.

import type { Cluster } from './cluster.js'
import type { Fault } from './faults.js'
import { Load } from './load.js'
import { pauseFor, untilWithin } from './within.js'

export type Round = {
  /** How long no upload was acknowledged that was sent after the fault, in ms. */
  stoppedMs: number
  /** Reads that had to succeed and did not, with their reasons. */
  failedReads: string[]
  /** The slowest read of those, in ms, and how many there were. */
  slowestReadMs: number
  reads: number
  acknowledged: number
  /** Broken promises. Nothing is lost and nobody is fenced late where it is empty. */
  broken: string[]
}

/** The longest that uploads may stop before the round is given up, in seconds. */
const GIVE_UP_SECONDS = 240
/** How many lines of one kind are told. */
const TOLD = 5

const some = (lines: readonly string[]): string =>
  `${lines.slice(0, TOLD).join('; ')}${lines.length > TOLD ? `; and ${lines.length - TOLD} more` : ''}`

export async function runRound(cluster: Cluster, fault: Fault, nth: number): Promise<Round> {
  const broken: string[] = []
  const { active, other } = await cluster.roles()
  const load = new Load(cluster.members, `${fault.name}-${nth}`)
  const untilAcknowledged = async (): Promise<void> => {
    const now = performance.now()
    await untilWithin(GIVE_UP_SECONDS, 'an upload is acknowledged', () => load.nextAfter(now) !== undefined)
  }
  load.start()
  try {
    await untilAcknowledged()
    await pauseFor(1000 + Math.random() * 1000) // at no moment in particular
    const scene = {
      cluster,
      active,
      other,
      broken: (what: string) => void broken.push(what),
      untilAcknowledged,
    }
    const { at, end } = await fault.make(scene)
    await untilWithin(GIVE_UP_SECONDS, 'an upload is acknowledged', () => load.nextAfter(at) !== undefined)
    const stoppedMs = (load.nextAfter(at) ?? Infinity) - at
    await end()
    for (const member of cluster.members) await member.untilServing()
    await untilAcknowledged()
    await load.stop()
    const whose = { all: cluster.members, other: [other], none: [] }[fault.reads]
    const reads = load.readsOf(whose, at)
    const lost = (await Promise.all(cluster.members.map((member) => load.lost(member)))).flat()
    if (lost.length > 0) broken.push(`acknowledged and lost: ${some(lost)}`)
    if (load.misses.length > 0) broken.push(`acknowledged and not seen: ${some(load.misses)}`)
    if (load.odd.length > 0) broken.push(`uploads were refused: ${some(load.odd)}`)
    return {
      stoppedMs,
      failedReads: reads.flatMap(({ problem, member, at: when }) =>
        problem === undefined
          ? []
          : [`${member.name} ${((when - at) / 1000).toFixed(1)} s after: ${problem}`],
      ),
      slowestReadMs: Math.max(0, ...reads.map(({ ms }) => ms)),
      reads: reads.length,
      acknowledged: load.acknowledged.length,
      broken,
    }
  } finally {
    await load.stop()
  }
}
