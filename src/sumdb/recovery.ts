// How long is a log? Looked at when it is opened, before it records anything. What is read does not grow with the log:
// the ends of both files, and the tiles that were not full at the head before the last.
//
// A commit writes its records and its head at the same time, so a crash may leave either alone. The head before the
// last was on the disk, with all that belongs to it, before the last commit began.

import { PLINTH } from '../errors.js'
import type { Store } from '../store/store.js'
import { DamagedLog } from './damaged-log.js'
import { Growth } from './growth.js'
import { readTail, type HeadLine } from './heads-file.js'
import { openHead, type Head, type Verifier } from './note.js'
import { databasePaths } from './paths.js'
import { readRecords } from './records-file.js'
import { waitForAll } from '../store/wait-for-all.js'
import { BEGINNING, MAX_GROUP, placeOf, type LogPlace, type Truth } from './truth.js'

/**
 * A log whose end is known: where it is, and from where on files may be missing in the tree. `unsure`: from there on
 * the truth was written, and may not be on the disk yet, since nobody has seen its end.
 */
export type FoundLog = { growth: Growth; place: LogPlace; from: LogPlace; unsure: LogPlace | undefined }

/** What a recovery looks at. */
type Looking = { store: Store; owner: string; verifier: Verifier; truth: Truth }

/** The newest head that readers see; `undefined` without one that is signed by us. */
async function shownHead(store: Store, owner: string, verifier: Verifier): Promise<Head | undefined> {
  const text = await store.read(databasePaths(owner, verifier.name).latest)
  return text && openHead(text.toString(), verifier)
}

/**
 * Finds the end of a log, and cuts off what a crash left behind it. Throws {@link DamagedLog} when there is another
 * reason why its files do not fit together: then nothing was changed.
 */
export async function findEnd(looking: Looking): Promise<FoundLog> {
  const { truth } = looking
  const found = await lookForEnd(looking)
  await cutOff(truth, found.place)
  const { place, unsure } = found
  if (unsure)
    await waitForAll([
      truth.records.renew(unsure.head?.bytes ?? 0, place.head?.bytes ?? 0),
      truth.heads.renew(unsure.end, place.end),
    ])
  return found
}

/** Finds the end of a log as {@link findEnd} does, and changes nothing. */
export async function lookForEnd(looking: Looking): Promise<FoundLog> {
  const { store, owner, verifier, truth } = looking
  if (!(await truth.isThere())) throw new DamagedLog(damaged(owner, 'its records or its heads are missing'))
  const { lines, isCut, isDamaged } = await readTail(truth.heads, verifier)
  if (isDamaged) throw new DamagedLog(damaged(owner, 'a line of the heads is none'))
  const shown = await shownHead(store, owner, verifier)
  for (let last = lines.length - 1; ; last--) {
    const place = placeOf(lines[last])
    const before = beforeOf(lines, last)
    if (last < 1 && isCut) throw new DamagedLog(damaged(owner, 'no head fits the records'))
    const growth = await growthAt(looking, before, place)
    if (growth) {
      mustFollow(owner, shown, place)
      if (!shown) await mustBeUnseen(looking, place)
      const from = await firstToRestore(looking, { shown, before, lines })
      return { growth, place, from, unsure: shown?.size === place.head?.size ? undefined : before }
    }
    if (shown && shown.size >= (place.head?.size ?? 0))
      throw new DamagedLog(
        damaged(owner, `the records are not those of the head of size ${place.head?.size}`),
      )
    // The line came to the disk before its records, and nobody has seen it.
  }
}

/**
 * Where the last commit began. A first head of more than a commit's records was made by a rotation: all that belongs to
 * it was on the disk before it came into force.
 */
function beforeOf(lines: readonly HeadLine[], last: number): LogPlace {
  const place = placeOf(lines[last])
  return last === 0 && (place.head?.size ?? 0) > MAX_GROUP ? place : placeOf(lines[last - 1])
}

/** The log at `place`, when its records are those of its head. */
async function growthAt(looking: Looking, before: LogPlace, place: LogPlace): Promise<Growth | undefined> {
  const { truth, owner, verifier } = looking
  const { head } = place
  if (!head) return new Growth()
  if ((await truth.records.size()) < head.bytes) return undefined
  try {
    const growth = await truth.growthFromTiles(owner, verifier.name, before)
    if (growth) {
      for await (const record of readRecords(truth.records, before.head?.bytes ?? 0, head.bytes))
        growth.append(record)
      if (growth.size === head.size && growth.root().equals(head.root)) return growth
    }
    return await truth.growthFromRecords(place)
  } catch (error) {
    if (error instanceof DamagedLog) return undefined
    throw error
  }
}

function mustFollow(owner: string, shown: Head | undefined, { head }: LogPlace): void {
  if (!shown) return
  const size = head?.size ?? 0
  if (shown.size > size)
    throw new DamagedLog(
      `the checksum database of ${owner} has shown ${shown.size} records, and state/sumdb/${owner} knows ${size}: ` +
        `it is older, restored from a backup perhaps. Nothing is recorded until ${PLINTH} sumdb recover ${owner}`,
    )
  if (head && shown.size === size && !shown.root.equals(head.root))
    throw new DamagedLog(damaged(owner, `two heads of size ${size} were signed`))
}

/**
 * A commit comes after the newest head of the one before was shown. Without that head it is not known what was shown:
 * then something may be missing in the tree, but nothing may have to be cut off.
 */
async function mustBeUnseen(
  { store, owner, verifier, truth }: Looking,
  { head, end }: LogPlace,
): Promise<void> {
  const isWhole = (await truth.records.size()) === (head?.bytes ?? 0) && (await truth.heads.size()) === end
  if (head ? isWhole : !(await store.exists(databasePaths(owner, verifier.name).at('tile')))) return
  throw new DamagedLog(
    damaged(owner, 'its newest head is not in the tree, and the end of the log is not whole'),
  )
}

async function cutOff(truth: Truth, { head, end }: LogPlace): Promise<void> {
  const bytes = head?.bytes ?? 0
  if ((await truth.records.size()) > bytes) await truth.records.truncate(bytes)
  if ((await truth.heads.size()) > end) await truth.heads.truncate(end)
}

/** What is older is in the tree, all of it: since before the last commit began, or the newest head was shown. */
async function firstToRestore(
  { owner, truth }: Looking,
  { shown, before, lines }: { shown: Head | undefined; before: LogPlace; lines: readonly HeadLine[] },
): Promise<LogPlace> {
  if (!shown) return BEGINNING // nobody knows what is in the tree
  if (shown.size > (before.head?.size ?? 0)) return before
  const line = lines.find(({ head }) => head.size === shown.size)
  const place = line ? placeOf(line) : await truth.placeAt(shown.size)
  if (!place?.head?.root.equals(shown.root))
    throw new DamagedLog(damaged(owner, `the head of size ${shown.size} in the tree is not one of the heads`))
  return place
}

const damaged = (owner: string, what: string): string =>
  `the checksum database of ${owner} is damaged: ${what}. Nothing is recorded until ` +
  `${PLINTH} sumdb recover ${owner}, or ${PLINTH} sumdb rotate ${owner} with a new name, with --fresh when it must be`
