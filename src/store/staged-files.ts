// Several derived files that are written together: staged first, then given their names in their order.

import type { Staged } from './staging.js'
import type { Store } from './store.js'
import { waitForAll } from './wait-for-all.js'

/** A file as it should be. One that `isNew` is written without a look at what is there. */
export type PlannedFile = { path: string; content: Buffer; isNew?: boolean }

/** A planned file that is on the disk under no name yet. */
export type StagedFile = { path: string; file: Staged }

/** Writes the files that are new, or differ from the present ones, under no name yet. Rejects with nothing left. */
export const stageFiles = (store: Store, files: readonly PlannedFile[]): Promise<StagedFile[]> =>
  stageEach(store, files, async (file) => file.isNew === true || !(await hasContent(store, file)))

/** Writes all the files, whatever is there, under no name yet. Rejects with nothing left. */
export const stagePlanned = (store: Store, files: readonly PlannedFile[]): Promise<StagedFile[]> =>
  stageEach(store, files, async () => true)

async function stageEach(
  store: Store,
  files: readonly PlannedFile[],
  isDue: (file: PlannedFile) => Promise<boolean>,
): Promise<StagedFile[]> {
  const staged: (StagedFile | undefined)[] = []
  try {
    await waitForAll(
      files.map(async (file, at) => {
        const { path, content } = file
        staged[at] = (await isDue(file)) ? { path, file: await store.stage(content) } : undefined
      }),
    )
  } catch (error) {
    await unstageFiles(store, present(staged))
    throw error
  }
  return present(staged)
}

/** Whether the file has these bytes. Most that changed have another size, and are not read. */
async function hasContent(store: Store, { path, content }: PlannedFile): Promise<boolean> {
  if ((await store.status(path))?.size !== content.length) return false
  return (await store.read(path))?.equals(content) ?? false
}

const present = (files: readonly (StagedFile | undefined)[]): StagedFile[] =>
  files.filter((file) => file !== undefined)

/** Removes what {@link stageFiles} wrote. */
export async function unstageFiles(store: Store, staged: readonly StagedFile[]): Promise<void> {
  for (const { file } of staged) await store.unstage(file)
}

/**
 * Gives the files their names. The caller syncs the folders. When one cannot get its name, those behind it are
 * removed.
 */
export async function placeFiles(store: Store, staged: readonly StagedFile[]): Promise<void> {
  for (const [at, { path, file }] of staged.entries()) {
    try {
      await store.placeMaking(file, path)
    } catch (error) {
      await unstageFiles(store, staged.slice(at + 1))
      throw error
    }
  }
}
