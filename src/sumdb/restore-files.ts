// Gives a database's files their names and contents, a few at a time, in an order in which a reader finds what a head
// needs: tiles, then lookups, then the newest head.

import { dirname } from 'node:path'
import type { Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'
import type { Growth, DatabaseFile } from './growth.js'
import { openHead, type Verifier } from './note.js'
import { databasePaths } from './paths.js'
import { parseLookup } from './record.js'
import { latestFile, type LogPlace, type Truth } from './truth.js'

/** Files that are looked at and written at the same time. */
const AT_ONCE = 64
/** Folders that may wait for their sync. */
const MAX_UNSYNCED = 1000

/**
 * `isRight`: whether the present content of a file may stay; without it the one that is the same may. `isUnsure`: the
 * names of those that stay may not be on the disk yet.
 */
type Writing = {
  store: Store
  folder: string
  isUnsure?: boolean
  isRight?: (present: Buffer, file: DatabaseFile) => boolean
  onFile?: () => void
}

/** Writes those files that are missing or wrong, durably. Resolves with their number. */
export async function writeFiles(
  {
    store,
    folder,
    isUnsure = false,
    isRight = (present, { content }) => present.equals(content),
    onFile,
  }: Writing,
  files: AsyncIterable<DatabaseFile> | Iterable<DatabaseFile>,
): Promise<number> {
  const unsynced = new Set<string>()
  let written = 0
  const write = async (file: DatabaseFile): Promise<void> => {
    const path = `${folder}/${file.path}`
    const present = await store.read(path)
    onFile?.()
    const isNew = !present || !isRight(present, file)
    if (isNew) {
      await store.writeMaking(path, file.content)
      written++
    }
    if (isNew || isUnsure) unsynced.add(dirname(path))
  }
  const sync = async (): Promise<void> => {
    await store.syncAll([...unsynced])
    unsynced.clear()
  }
  let batch: DatabaseFile[] = []
  const flush = async (): Promise<void> => {
    await waitForAll(batch.map(write))
    batch = []
    if (unsynced.size >= MAX_UNSYNCED) await sync()
  }
  for await (const file of files) {
    batch.push(file)
    if (batch.length >= AT_ONCE) await flush()
  }
  await flush()
  await sync()
  return written
}

/** A part of a log whose files are to be right. `growth` is the log at `from`, and is used up. */
type Restoring = {
  store: Store
  owner: string
  verifier: Verifier
  truth: Truth
  growth: Growth
  from: LogPlace
  to: LogPlace
  /** Writes every file, whatever is there: a sync of what is there has failed. */
  anew?: boolean
  /** `last`: of the tiles that are not full, only those at `to`. The heads before are not signed by this verifier. */
  widths?: 'all' | 'last'
  /** Names that are there may not be on the disk: a process died that gave them. */
  isUnsure?: boolean
  /** Called after each record. */
  onRecord?: () => void
}

/**
 * Writes what is missing or wrong of the files that come between two heads, durably. A lookup may have another head of
 * this log than the newest. Resolves with the number of files that were written.
 */
export async function restoreFiles(restoring: Restoring): Promise<number> {
  const {
    store,
    owner,
    verifier,
    truth,
    growth,
    from,
    to,
    anew,
    isUnsure = false,
    widths,
    onRecord,
  } = restoring
  if (!to.head) return 0
  const { folder } = databasePaths(owner, verifier.name)
  const writing = { store, folder, isUnsure }
  const never = anew ? { isRight: () => false } : {}
  const tiles = await writeFiles({ ...writing, ...never }, truth.tiles(growth, from, to, widths))
  const size = to.head.size
  const isRight = (present: Buffer, file: DatabaseFile): boolean =>
    !anew && isRightLookup(present.toString(), file.content.toString(), { verifier, size })
  const lookups = await writeFiles(
    { ...writing, isRight, ...(onRecord && { onFile: onRecord }) },
    truth.lookups(verifier, from, to),
  )
  return tiles + lookups + (await writeFiles({ ...writing, ...never }, [latestFile(verifier, to.head)]))
}

/** Whether a lookup says what it should, and its head is one that has the record and is not newer than `size`. */
function isRightLookup(
  present: string,
  wanted: string,
  { verifier, size }: { verifier: Verifier; size: number },
): boolean {
  if (present === wanted) return true
  const [is, should] = [parseLookup(present), parseLookup(wanted)]
  if (!is || !should || is.id !== should.id || is.record !== should.record) return false
  const head = openHead(is.head, verifier)
  return head !== undefined && head.size > is.id && head.size <= size
}
