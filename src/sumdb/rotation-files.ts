// What a rotation leaves in the truth of a database: its heads on their way, and the names before.

import type { Store } from '../store/store.js'
import { parseSigner } from './note.js'
import { statePaths } from './paths.js'

/** Ends a rotation that was cut off when its key was in force already. */
export async function finishRotation(store: Store, owner: string): Promise<void> {
  const { next, heads, folder } = statePaths(owner)
  if ((await store.exists(next.key)) || !(await store.exists(next.heads))) return
  await store.move(next.heads, heads)
  await store.sync(folder)
  await store.removeFolder(next.folder)
}

/**
 * The names that the database of an owner had before, the oldest first. The one that it has is none of them: a rotation
 * that was cut off has kept its key already.
 */
export async function namesBefore(store: Store, owner: string): Promise<string[]> {
  const { before, key } = statePaths(owner)
  const nameIn = async (path: string): Promise<string | undefined> =>
    parseSigner((await store.read(path))?.toString() ?? '')?.name
  const present = await nameIn(key)
  const names = new Set<string>()
  for (const nth of (await store.names(before)).map(Number).sort((a, b) => a - b)) {
    const name = await nameIn(`${before}/${nth}/key`)
    // A rotation that was cut off may have kept the name that still is in force.
    if (name !== undefined && name !== present) names.add(name)
  }
  return [...names]
}
