// Fills an empty folder from a backup. Until all of it is on the disk, the folder says of itself that it is not whole,
// and no Plinth works on it. An interrupted restore is run again.

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StartProblem } from '../errors.js'
import { folders, formatPath } from '../layout.js'
import { isHalfRestored, NEW_FORMAT, readFormat, writeFormat } from '../store/format.js'
import { syncTree } from './copy-file.js'
import { mustBeApart } from './destination.js'
import { readNote } from './note.js'
import { Replica } from './replica.js'
import { Room } from './room.js'

/** What is in the folder of a file system that has nothing yet. */
const OF_FILE_SYSTEMS = ['lost+found']

type Restoring = {
  signal: AbortSignal
  onFile: (path: string, counts: Replica['counts'], of: number) => void
}

/**
 * Copies the backup in the folder `backup` to the folder `data`, which is made when it is missing; both are absolute.
 * Throws a {@link StartProblem} when `backup` is none of a format that this program knows, or `data` is not empty.
 */
export async function restoreTo(
  data: string,
  backup: string,
  { signal, onFile }: Restoring,
): Promise<Replica['counts']> {
  const note = await readNote(backup)
  if (!note) throw new StartProblem(`${backup} is no backup that plinth backup has made whole`)
  const format = readFormat(backup)
  if (format === undefined) throw new StartProblem(`${backup} has no ${formatPath}: it is not whole`)
  await mustBeApart('the backup', backup, data)
  const isBegun = isEmptyOrBegun(data)
  mkdirSync(join(data, dirname(formatPath)), { recursive: true })
  writeFormat(data, 'restoring')
  const room = await Room.of(data, data, 0)
  const replica: Replica = new Replica({
    from: backup,
    to: data,
    earlier: undefined,
    room,
    begunMs: Date.now(),
    check: false,
    signal,
    onFile: (path) => onFile(path, replica.counts, note.files),
  })
  const { tree, accounts, owners, gone, journal, due } = folders
  for (const folder of [tree, accounts, owners, gone, journal, due])
    await replica.folder(folder, { there: isBegun ? 'left' : 'own', isStill: true, isCounted: true })
  const [unread] = replica.damaged
  if (unread) throw new Error(`${unread[0]}: ${unread[1]}`)
  await syncTree(data)
  writeFormat(data, format)
  return replica.counts
}

/**
 * `true` for a folder that a restore has begun to fill; `false` for an empty or missing one, and for one in which a
 * restore came no further than to mark it.
 */
function isEmptyOrBegun(data: string): boolean {
  if (!existsSync(data)) return false
  if (!statSync(data).isDirectory()) throw new StartProblem(`${data} is not a folder`)
  if (isHalfRestored(data)) return true
  const names = readdirSync(data).filter((name) => !OF_FILE_SYSTEMS.includes(name))
  const state = dirname(formatPath)
  const isBare = names.join() === state && readdirSync(join(data, state)).every((name) => name === NEW_FORMAT)
  if (names.length > 0 && !isBare)
    throw new StartProblem(`${data} is not empty: choose a new folder, or move away what is in it`)
  return false
}
