// Which versions a database cannot record, and what is said to who publishes them.

import { Refusal } from '../errors.js'
import { MAX_NAME_BYTES } from '../store/fits.js'
import { lookupName } from './paths.js'
import type { GoSums } from './record.js'

/** Throws a 400 for a version of which no file can have the name. go's own cache has the same limit. */
export function mustFitAName(at: { module: string; version: string }): void {
  const name = lookupName(at).split('/').at(-1) ?? ''
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw new Refusal(400, `the checksum database cannot hold ${name}: it has over ${MAX_NAME_BYTES} bytes`)
}

/** A 409 for a version whose record has other sums. */
export function conflict(
  { module, version }: { module: string; version: string },
  recorded: GoSums,
  sums: GoSums,
): Refusal {
  const [then, now] =
    recorded.zip === sums.zip ? [`go.mod ${recorded.mod}`, `go.mod ${sums.mod}`] : [recorded.zip, sums.zip]
  return new Refusal(
    409,
    `${module} ${version} was published before with other content (${then}), which is recorded in the checksum ` +
      `database: every client that knows it would refuse this one (${now}). Publish a new version.`,
  )
}
