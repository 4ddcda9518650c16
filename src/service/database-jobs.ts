// What commands ask of checksum databases.

import { isOwnerName } from '../access/rights.js'
import { Refusal } from '../errors.js'
import { firstUrl } from '../addresses/listen-address.js'
import { folders, goFolder, urlPath } from '../layout.js'
import { disableDatabase, enableDatabase, type Enabling, type EnablingCounts } from '../go/enable-database.js'
import { ownerKey } from '../packages/watch.js'
import { reconstruct } from '../sumdb/reconstruction.js'
import { headAt, reportOf, type DatabaseReport } from '../sumdb/report.js'
import { retireDatabase } from '../sumdb/retirement.js'
import { dropEarlier, rotateDatabase } from '../sumdb/rotation.js'
import { mustBeNewName } from '../sumdb/names.js'
import type { Parts } from './parts.js'

/** `size` asks for the root of the log when it had so many records. `fresh`: the new name begins without records. */
export type DatabaseRequest =
  | { action: 'show'; owner?: string; size?: number }
  | { action: 'enable'; owner: string; name?: string; dry: boolean }
  | { action: 'rotate'; owner: string; name: string; fresh: boolean }
  | { action: 'disable' | 'recover' | 'drop'; owner: string }

/** A database, and the GOPROXY through which its owner's modules come. */
export type ShownDatabase = DatabaseReport & { goproxy: string }

/** `progress` counts versions or records. `conflict` names a version that cannot be recorded, `reason` says why. */
export type DatabaseEvent =
  | { progress: { done: number; at?: string }; conflict?: string; reason?: string }
  | { databases: ShownDatabase[]; counts?: EnablingCounts; dropped?: string[]; done: true }

/** Reads a request that came as JSON. Throws for one that is malformed. */
export function parseDatabaseRequest(value: unknown): DatabaseRequest {
  const { action, owner, name, dry, fresh, size } = Object(value) as Record<string, unknown>
  const named = typeof name === 'string' ? { name } : {}
  if (owner !== undefined && (typeof owner !== 'string' || !isOwnerName(owner)))
    throw new Error('the request names no owner')
  if (action === 'show')
    return { action, ...(owner !== undefined && { owner }), ...(typeof size === 'number' && { size }) }
  if (owner === undefined) throw new Error('the request names no owner')
  if (action === 'enable') return { action, owner, ...named, dry: dry === true }
  if (action === 'rotate' && typeof name === 'string') return { action, owner, name, fresh: fresh === true }
  if (action === 'disable' || action === 'recover' || action === 'drop') return { action, owner }
  throw new Error('the request has no valid action')
}

/** Does what is asked. Throws the refusals of what it calls. */
export async function* doWithDatabases(
  parts: Parts,
  request: DatabaseRequest,
  signal: AbortSignal,
): AsyncGenerator<DatabaseEvent> {
  if (request.action === 'show') return yield* show(parts, request)
  if (request.action === 'enable' && request.dry) return yield* enable(parts, request, signal)
  const end = parts.databases.beginChange(request.owner)
  // A backup that is made meanwhile looks at what the owner has once more.
  parts.journal.touch(ownerKey(request.owner))
  try {
    yield* change(parts, request, signal)
  } finally {
    parts.journal.touch(ownerKey(request.owner))
    end()
  }
}

async function* change(
  parts: Parts,
  request: Exclude<DatabaseRequest, { action: 'show' }>,
  signal: AbortSignal,
): AsyncGenerator<DatabaseEvent> {
  const { store, databases } = parts
  const { owner } = request
  if ((await databases.statusOf(owner)) === undefined && request.action !== 'enable')
    throw new Refusal(404, `owner ${owner} has no checksum database`)
  if (request.action === 'enable') return yield* enable(parts, request, signal)
  if (request.action === 'rotate' && request.fresh) {
    await mustBeNewName(store, owner, request.name)
    await retireDatabase(parts, owner)
    return yield* enable(parts, { ...request, dry: false }, signal)
  }
  if (request.action === 'disable') await disableDatabase(parts, owner)
  if (request.action === 'rotate')
    yield* counting(signal, (onRecord) => rotateDatabase(parts, { owner, name: request.name, onRecord }))
  if (request.action === 'recover') yield* counting(signal, (onRecord) => recover(parts, owner, onRecord))
  const dropped = request.action === 'drop' ? await dropEarlier(store, owner) : undefined
  yield { databases: await shown(parts, [owner]), ...(dropped && { dropped }), done: true }
}

async function* enable(parts: Parts, enabling: Enabling, signal: AbortSignal): AsyncGenerator<DatabaseEvent> {
  let counts: EnablingCounts = { looked: 0, recorded: 0, conflicts: 0 }
  for await (const event of enableDatabase(parts, enabling, signal)) {
    counts = { ...event.counts }
    const { at, conflict, reason } = event
    yield {
      progress: { done: counts.looked, ...(at !== undefined && { at }) },
      ...(conflict && { conflict }),
      ...(reason && { reason }),
    }
  }
  yield { databases: await shown(parts, [enabling.owner]), counts, done: true }
}

/** Reads a log again from the tree, when it cannot be opened as it is. */
async function recover({ store, databases }: Parts, owner: string, onRecord: () => void): Promise<void> {
  if (databases.logOf(owner) && databases.refusalOf(owner) === undefined)
    throw new Refusal(409, `the checksum database of ${owner} is in order: there is nothing to recover`)
  if ((await databases.statusOf(owner)) === 'disabled')
    throw new Refusal(409, `the checksum database of ${owner} is disabled: enable it first`)
  await databases.pause(owner, 'recovered')
  try {
    await reconstruct({ store, owner, onRecord })
  } finally {
    await databases.open(owner)
  }
  const refusal = databases.refusalOf(owner)
  if (refusal !== undefined) throw new Refusal(409, refusal)
}

const SHOW_EVERY_MS = 200

/**
 * Runs `work`, and yields how far it is now and then. It ends with `work`: at its next record when `signal` says so, or
 * when nobody asks for more.
 */
async function* counting(
  signal: AbortSignal,
  work: (onRecord: () => void) => Promise<unknown>,
): AsyncGenerator<DatabaseEvent> {
  let done = 0
  let isLeft = false
  const onRecord = (): void => {
    if (signal.aborted || isLeft) throw new Error('it was interrupted: run it again')
    done++
  }
  const working = work(onRecord).then(() => 'ended')
  working.catch(() => {}) // it may fail while nobody asks
  try {
    for (;;) {
      yield { progress: { done } }
      const shown = new Promise<string>((resolve) => setTimeout(resolve, SHOW_EVERY_MS, 'shown'))
      if ((await Promise.race([working, shown])) === 'ended') return
    }
  } finally {
    isLeft = true
    await working.catch(() => {}) // who still asks has heard of it
  }
}

async function* show(
  parts: Parts,
  { owner, size }: { owner?: string; size?: number },
): AsyncGenerator<DatabaseEvent> {
  const owners = owner === undefined ? await parts.store.names(folders.sumdb) : [owner]
  const databases = await shown(parts, owners)
  if (owner !== undefined && databases.length === 0)
    throw new Refusal(404, `owner ${owner} has no checksum database`)
  if (owner !== undefined && size !== undefined) {
    const head = await headAt(parts.store, owner, size)
    if (!head) throw new Refusal(404, `the checksum database of ${owner} never had ${size} records`)
    for (const database of databases) Object.assign(database, { size, root: head.root.toString('base64') })
  }
  yield { databases, done: true }
}

async function shown(parts: Parts, owners: readonly string[]): Promise<ShownDatabase[]> {
  const { config } = parts
  const base = config.publicUrl ?? firstUrl(config.listen, config.tls ? 'https' : 'http')
  const found: ShownDatabase[] = []
  for (const owner of owners) {
    const report = await reportOf(parts, owner)
    if (report) found.push({ ...report, goproxy: `${base}${urlPath(goFolder(owner))}` })
  }
  return found
}
