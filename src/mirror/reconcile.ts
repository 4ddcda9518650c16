// Makes the objects of an owner, or of a part of it, those of its folder, by a list of each.

import type { PublicFolder } from './public-folder.js'
import { Comparison, type Difference } from './comparison.js'
import type { Step } from './object-kind.js'
import { AT_ONCE, type MirrorTools, type Transfer } from './transfer.js'

/** So many objects, and such a share of them, may go without a reason that can be seen. */
const FEW = 500
const SHARE = 0.1

type Reconciling = {
  owner: string
  folder: PublicFolder
  transfer: Transfer
  /** The parts below the owner's folder, '' for all. */
  prefixes: readonly string[]
  /** Throws when the tree is not there: nothing may be removed then. */
  mustBeThere: () => Promise<void>
  /** Whether any number of objects may be removed. */
  mayEmpty: () => Promise<boolean>
  /** What is not uploaded, and what nothing is removed of, for what the caller does. */
  only?: 'uploads'
}

/** Thrown when more would be removed than anybody has deleted: the folder may have been lost. */
export class TooManyRemoved extends Error {}

/** Uploads what is missing or another one, then removes what is not there. */
export async function reconcile(tools: MirrorTools, reconciling: Reconciling): Promise<void> {
  const { owner, folder, transfer, prefixes } = reconciling
  const under = (prefix: string): string => (prefix === '' ? owner : `${owner}/${prefix}`)
  async function* objects() {
    for (const prefix of prefixes)
      for await (const object of tools.rclone.objects(under(prefix)))
        yield { ...object, path: object.path.slice(owner.length + 1) }
  }
  async function* files() {
    for (const prefix of prefixes) yield* folder.files(prefix, transfer.moved)
  }
  const comparison = await Comparison.make(tools.work, objects(), files, tools.signal)
  let tooMany = 0
  if (reconciling.only !== 'uploads') {
    let removed = 0
    for await (const difference of comparison.differences()) if (difference.do === 'remove') removed++
    // Every owner with packages has a catalogue, also when the last one is deleted.
    const isLost = removed > 0 && !(await folder.status('-/index.json'))
    const isMuch = removed > FEW && removed > comparison.objects * SHARE
    if ((isLost || isMuch) && !(await reconciling.mayEmpty())) tooMany = removed
  }
  for (const step of [0, 1, 2] as const)
    await inBatches(only(comparison, 'upload', step), (batch) =>
      transfer.upload(batch.flatMap((each) => (each.kind ? [{ ...each, kind: each.kind }] : []))),
    )
  if (tooMany > 0)
    throw new TooManyRemoved(
      `${owner}: ${tooMany} of ${comparison.objects} objects have no file any more; if that is right, run it once ` +
        'with --force. Nothing was removed',
    )
  if (reconciling.only === 'uploads') return
  for (const step of [2, 1, 0] as const)
    await inBatches(only(comparison, 'remove', step), async (batch) => {
      await reconciling.mustBeThere()
      await transfer.remove(batch.map(({ path, kind }) => ({ path, of: kind?.of ?? '' })))
    })
}

async function* only(comparison: Comparison, what: Difference['do'], step: Step): AsyncGenerator<Difference> {
  for await (const difference of comparison.differences())
    if (difference.do === what && (difference.kind?.step ?? 0) === step) yield difference
}

async function inBatches<T>(from: AsyncIterable<T>, take: (batch: T[]) => Promise<void>): Promise<void> {
  let batch: T[] = []
  for await (const each of from) {
    batch.push(each)
    if (batch.length < AT_ONCE) continue
    await take(batch)
    batch = []
  }
  if (batch.length > 0) await take(batch)
}
