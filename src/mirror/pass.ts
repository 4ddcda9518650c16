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

/** `full`: compare everything. `force`: remove as much as has no file any more, and what is of no owner. */
export type PassOptions = { full: boolean; force: boolean; onOwner: (owner: string) => void }

/** `problems` are sentences; what they speak of was not done. */
export type PassOutcome = { full: boolean; owners: number; problems: string[] }

/** Brings the bucket up to the data folder. Rejects when rclone fails: the next pass goes on from there. */
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

  for (const owner of [...new Set([...open, ...Object.keys(state.owners), ...inBucket])].sort()) {
    options.onOwner(owner)
    const mirror = new OwnerMirror(tools, { mustBeThere, mayEmpty }, owner)
    try {
      const known = state.owners[owner]
      if (open.has(owner) && (await mirror.isPublic())) {
        state.owners[owner] = await mirror.mirror(full ? undefined : known)
        if (await mirror.isPublic()) continue
      } else if (open.has(owner) && !options.force) {
        await mustBeClosed(store, owner)
      } else if (!known && !options.force && !(await isClosed(store, owner, 'declared'))) {
        problems.push(
          `${join(tools.rclone.remote, owner)} is of no owner that was mirrored: left; --force removes it`,
        )
        continue
      }
      await mirror.empty()
      delete state.owners[owner]
    } catch (error) {
      if (!(error instanceof TooManyRemoved)) throw error
      problems.push(messageOf(error))
      delete state.owners[owner] // the next pass says it again
    } finally {
      if (!tools.dryRun && !tools.signal.aborted) await tools.work.keep(state)
    }
  }
  state.fullAt = full ? begun : state.fullAt
  if (!tools.dryRun) await tools.work.keep(state)
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
