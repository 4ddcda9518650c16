// The go.sum that `plinth collect` puts beside the modules: what travels along is held against it.

import { join } from 'node:path'
import { messageOf, Refusal, visible } from '../errors.js'
import { CARRIED_SUMS, GoSum, parseGoSum } from '../gomod/go-sum.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import { Changed } from '../store/opened-folder.js'
import { readSmall } from './cache-files.js'
import type { FoundVersion } from './find.js'

/** A go.sum of a thousand projects has some MB. */
const MAX_BYTES = 16 * 2 ** 20

/** Both hashes of a version, `h1:…`. */
type Hashes = Pick<ModuleZip, 'zipHash' | 'modHash'>

/**
 * Reads the go.sum in the folder `root`; `undefined` when there is none. Throws a 400 for one that go would not take,
 * and for one that says two things of a version: then nothing is imported.
 */
export async function readCarriedSums(root: string): Promise<GoSum | undefined> {
  const path = join(root, CARRIED_SUMS)
  let text: string
  try {
    text = await readSmall(path, MAX_BYTES)
  } catch (error) {
    if (error instanceof Changed) return undefined // it is not there
    throw error
  }
  const sums = new GoSum()
  try {
    for (const line of parseGoSum(text)) {
      const other = sums.add(line)
      if (other === undefined) continue
      throw new Error(`it says ${other} and ${line.hash} of ${line.module} ${line.version}`)
    }
  } catch (error) {
    throw new Refusal(400, `${visible(path)}: ${messageOf(error)}`)
  }
  return sums
}

/** Throws a 400 for hashes that are not those of go.sum. A version without a line has nothing to be held against. */
export function mustBeAsListed(
  sums: GoSum | undefined,
  { module, version }: FoundVersion,
  { zipHash, modHash }: Hashes,
  what: string,
): void {
  const listed = sums?.of(module, version)
  if (!listed) return
  if (listed.zip !== undefined && listed.zip !== zipHash)
    throw new Refusal(400, `${what} is not what go.sum says: its zip has ${zipHash}, and not ${listed.zip}`)
  if (listed.mod !== undefined && listed.mod !== modHash)
    throw new Refusal(
      400,
      `${what} is not what go.sum says: its go.mod has ${modHash}, and not ${listed.mod}`,
    )
}
