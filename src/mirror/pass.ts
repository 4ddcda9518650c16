// One pass of a mirror: every owner that is public, and what the bucket has of those that are not any more.

import { join } from 'node:path'
import { ownerNames, readOwner } from '../access/files.js'
import { isOwnerName } from '../access/rights.js'
import { messageOf, StartProblem } from '../errors.js'
import { folders, siteIndex } from '../layout.js'
import { Store } from '../store/store.js'
import { OwnerMirror } from './owner-mirror.js'
import { TooManyRemoved } from './reconcile.js'
import type { MirrorTools } from './transfer.js'
import type { MirrorState } from './work-folder.js'

/** A pass that compares everything is due after so long. */
const FULL_EVERY_MS = 24 * 3_600_000
/** After so many owners in a row that fail, the bucket is not there. */
const MOST_FAILED = 3

/** `full`: compare everything. `force`: remove as much as has no file any more, and what is of no owner. */
export type PassOptions = { full: boolean; force: boolean; onOwner: (owner: string) => void }

/** `problems` are sentences; what they speak of was not done. */
export type PassOutcome = { full: boolean; owners: number; problems: string[] }

/**
 * Brings the bucket up to the data folder. What fails for one owner is a problem of that owner's, and the others go on;
 * rejects when it fails for several in a row, as without the bucket. The next pass goes on from there.
 */
export async function mirrorPass(tools: MirrorTools, options: PassOptions): Promise<PassOutcome> {
  const store = new Store(tools.data)
  const mustBeThere = async (): Promise<void> => {
    for (const path of [siteIndex, folders.public])
      if (!(await store.exists(path)))
        throw new StartProblem(`${path} is not there: is the data folder mounted? Nothing was removed`)
  }
  await mustBeThere()
  const mayEmpty = async (owner: string): Promise<boolean> => options.force || (await isClosed(store, owner))
  const state: MirrorState = (await tools.work.state()) ?? { format: 1, fullAt: 0, owners: {} }
  const begun = Date.now()
  const full = options.full || Math.abs(begun - state.fullAt) >= FULL_EVERY_MS
  const open = new Set((await store.names(folders.public)).filter(isOwnerName))
  const inBucket = full ? (await tools.rclone.folders()).filter(isOwnerName) : []
  const problems: string[] = []

  const keep = async (): Promise<void> => {
    if (!tools.dryRun && !tools.signal.aborted) await tools.work.keep(state)
  }
  let failed = 0
  // Who is closed comes first: nothing that fails for others keeps what is private in the bucket.
  const closed = [...Object.keys(state.owners), ...inBucket].filter((owner) => !open.has(owner))
  for (const owner of [...[...new Set(closed)].sort(), ...[...open].sort()]) {
    options.onOwner(owner)
    const mirror = new OwnerMirror(tools, { mustBeThere, mayEmpty }, owner)
    try {
      const known = state.owners[owner]
      if (open.has(owner) && (await mirror.isPublic())) {
        state.owners[owner] ??= null
        await keep() // the bucket may have something of it from now on
        state.owners[owner] = await mirror.mirror(full ? undefined : (known ?? undefined))
        if (await mirror.isPublic()) continue
      } else if (open.has(owner) && !options.force) {
        await mustBeClosed(store, owner)
      } else if (known === undefined && !options.force && !(await isClosed(store, owner, 'declared'))) {
        problems.push(
          `${join(tools.rclone.remote, owner)} is of no owner that was mirrored: left; --force removes it`,
        )
        continue
      }
      await mirror.empty()
      delete state.owners[owner]
    } catch (error) {
      if (tools.signal.aborted || error instanceof StartProblem) throw error
      if (error instanceof TooManyRemoved) problems.push(messageOf(error))
      else if (++failed === MOST_FAILED) throw error
      else problems.push(`${owner}: ${messageOf(error)}`)
      if (owner in state.owners) state.owners[owner] = null // the next pass says it again
      continue
    } finally {
      await keep()
    }
    failed = 0
  }
  state.fullAt = full ? begun : state.fullAt
  await keep()
  return { full, owners: open.size, problems }
}

/**
 * Whether the truth about owners says that this one is not public. Where the files of all owners are gone, nothing is
 * known. `declared`: it says so in a file of the owner's own.
 */
async function isClosed(store: Store, name: string, by?: 'declared'): Promise<boolean> {
  const owner = await readOwner(store, name)
  if (owner) return !owner.public
  return by === undefined && (await ownerNames(store)).length > 0
}

/** An owner's link leads nowhere: somebody has just closed it, or its folder is lost. */
async function mustBeClosed(store: Store, owner: string): Promise<void> {
  if (await isClosed(store, owner)) return
  throw new TooManyRemoved(`${owner} is public and its folder is not there: nothing of it was removed`)
}
