// Loaded into a process (--import), it makes the names of temporary files predictable, so that a tracer can name them.

import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const IDS = 128

const idOf = (n: number) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}` as const

let taken = 0
crypto.randomUUID = () => idOf(taken++ % IDS)
syncBuiltinESMExports()

/** Everything below the data folder `data` that such a process writes to. */
export const writtenFiles = (data: string): string[] =>
  Array.from({ length: IDS }, (_, n) => idOf(n))
    .flatMap((id) => [
      `${data}/state/tmp/${id}`,
      `${data}/state/tmp/${id}/body`,
      `${data}/state/tmp/${id}/go.mod`,
      `${data}/state/tmp/${id}/facts.json`,
      `${data}/state/journal/${id}.json`,
    ])
    .concat(`${data}/state/due/admin`, `${data}/tree/api/packages/admin/-/index.ndjson`)
