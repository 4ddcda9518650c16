// The hashes of a transparency log (RFC 6962, section 2.1). Pure.

import { createHash } from 'node:crypto'

export const HASH_BYTES = 32

const LEAF = Buffer.of(0)
const NODE = Buffer.of(1)

/** The hash of a record. */
export const leafHash = (record: string | Buffer): Buffer =>
  createHash('sha256').update(LEAF).update(record).digest()

/** The hash of a node above two others. */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  createHash('sha256').update(NODE).update(left).update(right).digest()

/** The root of the complete tree above `hashes`, whose number is a power of two, from `start` to `end`. */
export function subtreeHash(hashes: readonly Buffer[], start = 0, end = hashes.length): Buffer {
  const [first] = [hashes[start]]
  if (first === undefined || end <= start) throw new RangeError('a tree has one leaf at least')
  if (end - start === 1) return first
  const middle = start + (end - start) / 2
  return nodeHash(subtreeHash(hashes, start, middle), subtreeHash(hashes, middle, end))
}
