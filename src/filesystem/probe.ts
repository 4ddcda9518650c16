// A probe: rounds of checks in a folder of their own, with another process that sees the same file system.

import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf } from '../errors.js'
import { systemCalls, type Calls } from './calls.js'
import { FIXED, REPEATED } from './local-checks.js'
import type { PeerSide } from './peer.js'
import { checksOf, runCheck, type Checks } from './run-check.js'
import { Flaws, lockBoth, race, readWhile, sharedRound, type Flaw } from './shared-checks.js'
import { LocalSide } from './side.js'

/** The folder of a probe; what is in it is made up. */
export const PROBE_FOLDER = /^\.plinth-probe-[A-Za-z0-9]+$/
const PREFIX = '.plinth-probe-'
/** One that is older was left by a probe that was killed, and nobody works in it. */
const LEFT_MS = 3_600_000
/** How often a file is replaced while it is read, at most. */
const MOST_REPLACED = 100

type Probing = {
  rounds: number
  /** Where the other side is, for texts: `this machine` or `another machine`. */
  elsewhere: string
  signal: AbortSignal
  onRound?: (round: number) => void
  calls?: Calls
}

/** `rounds` are those that were made. `cutShort` says why the rest was not: too much fails to go on. */
export type Probed = { rounds: number; looked: number; flaws: Flaw[]; cutShort?: string }

/**
 * Probes the file system of `dir` (absolute) with the other side `peer`. It makes a folder there and removes it, also
 * when it is stopped by the signal. Rejects when a call fails that tells nothing of the file system, as on a full disk.
 */
export async function probe(
  dir: string,
  peer: Pick<PeerSide, 'ask'>,
  { rounds, elsewhere, signal, onRound, calls = systemCalls }: Probing,
): Promise<Probed> {
  await removeLeft(dir)
  const folder = await mkdtemp(join(dir, PREFIX))
  const here = new LocalSide(folder, calls, 'one')
  const flaws = new Flaws(elsewhere)
  let made = 0
  let cutShort: string | undefined
  try {
    await makeChecks({ ...FIXED, ...REPEATED }, folder, calls, flaws)
    await here.ask({ do: 'begin' })
    await peer.ask({ do: 'open', folder: basename(folder) })
    for (; made < rounds && !signal.aborted; made++) {
      const round = made + 1
      onRound?.(round)
      if (made > 0) await makeChecks(REPEATED, folder, calls, flaws)
      const [writer, reader] = round % 2 === 1 ? [here, peer] : [peer, here]
      await sharedRound({ writer, reader }, round, flaws)
      await race([here, peer], round, flaws)
      await lockBoth([writer, reader], flaws)
    }
    const times = Math.min(rounds, MOST_REPLACED)
    if (!signal.aborted) await readWhile({ writer: here, reader: peer }, { times, from: 1 }, flaws)
    if (!signal.aborted) await readWhile({ writer: peer, reader: here }, { times, from: times + 1 }, flaws)
  } catch (error) {
    // what cannot make a link, say, cannot go on, and has been found
    if (signal.aborted || !flaws.all().some((flaw) => !flaw.isWish)) throw error
    cutShort = messageOf(error)
  } finally {
    here.end()
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  return {
    rounds: made,
    looked: flaws.looked,
    flaws: flaws.all(),
    ...(cutShort !== undefined && { cutShort }),
  }
}

/** Each check in a folder of its own, which is removed behind it. */
async function makeChecks(checks: Checks, folder: string, calls: Calls, flaws: Flaws): Promise<void> {
  for (const [need, check] of checksOf(checks)) {
    const at = join(folder, `check ${need}`)
    flaws.note(need, await runCheck(calls, check, at))
    await rm(at, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Removes folders of probes that were killed long ago. */
async function removeLeft(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!PROBE_FOLDER.test(name)) continue
    const status = await lstat(join(dir, name)).catch(() => undefined)
    if (status?.isDirectory() && status.uid === process.getuid?.() && status.mtimeMs < Date.now() - LEFT_MS)
      await rm(join(dir, name), { recursive: true, force: true })
  }
}
