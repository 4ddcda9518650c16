// Files of a database in the tree: new ones under no name yet, and old ones that nobody needs any more.

import { stagePlanned, type StagedFile } from '../store/staged-files.js'
import type { Store } from '../store/store.js'
import { TILE_WIDTH } from './edge.js'
import type { DatabaseFile } from './growth.js'
import { DATA, partialFolder } from './paths.js'
import { DATA_WIDTHS } from './truth.js'

/** Levels of hashes above the records: 256^5 records are more than any disk has. */
const LEVELS = [DATA, 0, 1, 2, 3, 4] as const

/** Writes files of the database in `folder`, under no name yet. Rejects with nothing left. */
export const stageAnew = (
  store: Store,
  folder: string,
  files: readonly DatabaseFile[],
): Promise<StagedFile[]> =>
  stagePlanned(
    store,
    files.map(({ path, content }) => ({ path: `${folder}/${path}`, content })),
  )

/**
 * Removes the partial tiles of those that became full between two sizes, and old data tiles. A partial tile whose full
 * one is not there stays: a client may have a head that needs it. The full ones must be on the disk.
 */
export async function prunePartials(
  store: Store,
  folder: string,
  before: number,
  size: number,
): Promise<void> {
  for (const level of LEVELS) {
    const each = TILE_WIDTH ** ((level === DATA ? 0 : level) + 1)
    for (let index = Math.floor(before / each); index < Math.floor(size / each); index++)
      await store.removeFolder(`${folder}/${partialFolder(level, index)}`)
  }
  const data = `${folder}/${partialFolder(DATA, Math.floor(size / TILE_WIDTH))}`
  const widths = (await store.names(data)).map(Number).sort((a, b) => a - b)
  for (const width of widths.slice(0, -DATA_WIDTHS)) await store.remove(`${data}/${width}`)
}
