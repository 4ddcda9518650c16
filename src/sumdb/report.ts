// What is told of an owner's database.

import type { Store } from '../store/store.js'
import type { ChecksumDatabases, DatabaseStatus } from './databases.js'
import { Edge } from './edge.js'
import { leafHash } from './hashes.js'
import { readTail } from './heads-file.js'
import { parseSigner, verifierText, type Head } from './note.js'
import { statePaths } from './paths.js'
import { readRecords } from './records-file.js'
import { namesBefore } from './rotation-files.js'
import { Truth } from './truth.js'

/**
 * `gosumdb` is what clients have in GOSUMDB; `root` in base64 and `bytes` of the records are those at `size`.
 * `refusal`: why nothing is recorded. `earlier` are the names before a rotation.
 */
export type DatabaseReport = {
  owner: string
  status: DatabaseStatus
  name?: string
  gosumdb?: string
  size: number
  root?: string
  bytes: number
  earlier: string[]
  refusal?: string
}

type Needs = { store: Store; databases: ChecksumDatabases }

/** What is told of the database of an owner; `undefined` when it has none. */
export async function reportOf(
  { store, databases }: Needs,
  owner: string,
): Promise<DatabaseReport | undefined> {
  const status = await databases.statusOf(owner)
  if (status === undefined) return undefined
  const signer = parseSigner((await store.read(statePaths(owner).key))?.toString() ?? '')
  const truth = new Truth(store, owner)
  const lines = signer && (await truth.isThere()) ? (await readTail(truth.heads, signer)).lines : []
  const head = databases.logOf(owner)?.head ?? lines.at(-1)?.head
  const refusal = databases.refusalOf(owner)
  return {
    owner,
    status,
    ...(signer && { name: signer.name, gosumdb: verifierText(signer) }),
    size: head?.size ?? 0,
    ...(head && { root: head.root.toString('base64') }),
    bytes: head?.bytes ?? 0,
    earlier: await namesBefore(store, owner),
    ...(refusal !== undefined && { refusal }),
  }
}

/** The head that a log had at a size, signed then or not; `undefined` for a size that it has not reached. */
export async function headAt(store: Store, owner: string, size: number): Promise<Head | undefined> {
  const truth = new Truth(store, owner)
  const edge = new Edge()
  const end = (await store.status(statePaths(owner).records))?.size ?? 0
  for await (const record of readRecords(truth.records, 0, end)) {
    edge.append(leafHash(record))
    if (edge.size === size) return { size, root: edge.root() }
  }
  return undefined
}
