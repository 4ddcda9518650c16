// Which uploaded files an inspection reads whole, when it does not read all of them. Pure.

import { createHash } from 'node:crypto'

/** A `share` of 0 to 1 of all uploaded files, or about so many of them. The same `seed` chooses the same files. */
export type SampleRequest = ({ share: number } | { count: number }) & { seed: string }

/** Tells whether the file at this path is in the sample. */
export type IsInSample = (path: string) => boolean

/** The bits of a hash that are compared: a number has them exactly. */
const BITS = 48

/** `uploads` is the number of all uploaded files, as far as it is known. */
export function sampleOf(request: SampleRequest, uploads: number): IsInSample {
  const share = 'share' in request ? request.share : request.count / Math.max(uploads, request.count, 1)
  return (path) => {
    const hash = createHash('sha256').update(`${request.seed} ${path}`).digest('hex')
    return parseInt(hash.slice(0, BITS / 4), 16) < share * 2 ** BITS
  }
}

/** Reads a sample that came as JSON. Throws for one that is malformed. */
export function parseSample(value: unknown): SampleRequest | undefined {
  if (value === undefined) return undefined
  const { share, count, seed } = value as Record<string, unknown>
  if (typeof seed !== 'string' || !/^[0-9A-Za-z]{1,64}$/.test(seed))
    throw new Error('the sample has no seed of letters and digits')
  if (typeof share === 'number' && share > 0 && share <= 1) return { share, seed }
  if (typeof count === 'number' && Number.isSafeInteger(count) && count > 0) return { count, seed }
  throw new Error('the sample has no share and no count')
}
