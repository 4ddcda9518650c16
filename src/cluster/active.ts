// state/active: where the service that takes writes is reached. It is written when that service takes requests, and is
// gone while there is none, or while it recovers what the one before it left.

import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parsePeerAddress, peerAddressText, type PeerAddress } from '../addresses/peer-address.js'
import { clusterPaths } from '../layout.js'
import { parseJson } from '../store/parse-json.js'
import { unlessAbsent } from '../store/reading.js'
import type { Store } from '../store/store.js'

/** The active service. `holder` is the process, as the lock file names it: `pid 61 on machine-a`. */
export type Active = { holder: string; address: PeerAddress }

// '{"holder":"pid 61 on machine-a","address":"10.0.0.11:8081"}' → {holder, address: {host, port}}
function parseActive(text: string): Active | undefined {
  const read = parseJson(text)
  if (typeof read !== 'object' || read === null || !('holder' in read) || !('address' in read))
    return undefined
  const { holder, address: written } = read
  if (typeof holder !== 'string' || typeof written !== 'string') return undefined
  const address = parsePeerAddress(written)
  return typeof address === 'string' ? undefined : { holder, address }
}

/** The active service of the data folder `data`; `undefined` when there is none, and for a file that is damaged. */
export async function readActive(data: string): Promise<Active | undefined> {
  const text = await unlessAbsent(readFile(join(data, clusterPaths.active), 'utf8'))
  return text === undefined ? undefined : parseActive(text)
}

/** Names the active service, in one step and durably. Only the holder of the data folder's lock may. */
export async function writeActive(store: Store, { holder, address }: Active): Promise<void> {
  await store.write(
    clusterPaths.active,
    `${JSON.stringify({ holder, address: peerAddressText(address) })}\n`,
    {
      secret: true,
    },
  )
  await store.sync(dirname(clusterPaths.active))
}

/**
 * Takes the name of the active service away, durably: whoever it is, or only when it is `holder`. The latter is for one
 * that ends: another service may have taken the folder from it.
 */
export async function removeActive(store: Store, holder?: string): Promise<void> {
  if (holder !== undefined && (await readActive(store.at('.')))?.holder !== holder) return
  if (await store.remove(clusterPaths.active)) await store.sync(dirname(clusterPaths.active))
}
