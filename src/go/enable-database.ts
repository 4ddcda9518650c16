// Turns an owner's checksum database on, and off again. From its first step each publish is recorded. Then every
// version that is there is recorded, while everything goes on. The database is shown at the end.

import { dirname } from 'node:path'
import { mustBeDeclared } from '../access/files.js'
import { holdingAccessLock } from '../access/lock.js'
import { PLINTH, Refusal, visible } from '../errors.js'
import { goFolder, versionFile } from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { Journal } from '../packages/journal.js'
import { visibleVersions } from '../packages/module-versions.js'
import { isOfOwner } from '../packages/operation.js'
import { readModuleFacts } from '../packages/published.js'
import { someAtOnce } from '../shares/some-at-once.js'
import { PROMISE_FORMAT, raiseFormat } from '../store/format.js'
import type { Store } from '../store/store.js'
import type { ChecksumDatabases, DatabaseStatus } from '../sumdb/databases.js'
import type { ChecksumLog } from '../sumdb/log.js'
import { databasePaths } from '../sumdb/paths.js'
import { readRecorded } from '../sumdb/recorded.js'
import { showToGo } from '../sumdb/supported.js'
import { mustBeNewName } from '../sumdb/names.js'
import { createDatabase, writeStatus } from '../sumdb/set-up.js'
import type { ModulePublisher } from './publish.js'

/** What enabling takes of the service's parts. */
type DatabaseNeeds = {
  store: Store
  zips: Pick<CheckPool, 'read'>
  journal: Journal
  modules: Pick<ModulePublisher, 'alone'>
  databases: ChecksumDatabases
}

/** Versions whose zips are read at the same time; their records are committed together. */
const AT_ONCE = 32

/** `name` is needed for a first time. `dry`: nothing is written. */
export type Enabling = { owner: string; name?: string; dry: boolean }
/** How many versions were looked at, and recorded now or would be. */
export type EnablingCounts = { looked: number; recorded: number; conflicts: number }
/** `conflict` names a version that cannot be recorded as it is, `reason` says why: its record has other hashes, say. */
type EnablingEvent = { counts: EnablingCounts; at?: string; conflict?: string; reason?: string }

/**
 * Enables the database of an owner, or goes on with it. Yields what was done so far. When there are versions that
 * cannot be recorded as they are, since they have other content than before it was disabled, say, the database is not
 * shown.
 * Throws a {@link Refusal}: 404 for an owner that is not declared, 400 and 409 for a name that cannot be used.
 */
export async function* enableDatabase(
  needs: DatabaseNeeds,
  { owner, name, dry }: Enabling,
  signal: AbortSignal,
): AsyncGenerator<EnablingEvent> {
  const { store, databases, journal } = needs
  await mustBeDeclared(store, owner)
  const status = await databases.statusOf(owner)
  await mustFit(needs, { owner, name, status })
  if (!dry) await begin(needs, { owner, name: name ?? '', status })
  const log = databases.logOf(owner)
  if (!dry) {
    const refusal = databases.refusalOf(owner)
    if (refusal !== undefined) throw new Refusal(503, refusal)
    await journal.idle((key) => isOfOwner(key, owner)) // these do not record what they publish
  }
  const counts: EnablingCounts = { looked: 0, recorded: 0, conflicts: 0 }
  const into = { name: await databases.nameOf(owner), log: dry ? undefined : log }
  const record = (at: { module: string; version: string }) => recordOne(needs, { owner, ...at }, into)
  for await (const found of someAtOnce(AT_ONCE, visibleVersions(store, owner), record)) {
    signal.throwIfAborted()
    counts.looked++
    const { version } = found
    if ('reason' in found) {
      counts.conflicts++
      yield { counts, at: version, conflict: version, reason: found.reason }
      continue
    }
    if (found.result === 'recorded') counts.recorded++
    yield { counts, at: version }
  }
  if (!dry && counts.conflicts === 0 && log) await show(store, log)
  yield { counts }
}

/** Throws when the database cannot be enabled under this name. */
async function mustFit(
  { store, databases }: DatabaseNeeds,
  { owner, name, status }: { owner: string; name: string | undefined; status: DatabaseStatus | undefined },
): Promise<void> {
  if (status === undefined) {
    if (name === undefined) throw new Refusal(400, 'a new checksum database needs a name: --name NAME')
    return mustBeNewName(store, owner, name)
  }
  const present = await databases.nameOf(owner)
  if (name !== undefined && name !== present)
    throw new Refusal(
      409,
      `the checksum database of ${owner} is called ${present}: ${PLINTH} sumdb rotate ${owner} --name ${visible(name)}`,
    )
}

/** From here on each publish is recorded. */
async function begin(
  { store, databases }: DatabaseNeeds,
  { owner, name, status }: { owner: string; name: string; status: DatabaseStatus | undefined },
): Promise<void> {
  // a program of before would publish without a record
  await holdingAccessLock(store, async () => raiseFormat(store.at('.'), PROMISE_FORMAT))
  if (status === undefined) await createDatabase(store, owner, name)
  if (status === 'disabled') await writeStatus(store, owner, 'enabling')
  if (!databases.logOf(owner)) await databases.open(owner)
}

/** What was found of a version; `reason` of one that cannot be recorded. */
type Looked = { version: string; result: 'recorded' | 'known' | 'gone' } | { version: string; reason: string }

const OTHER_CONTENT = 'it has other content than is recorded of it'

async function recordOne(
  { store, zips, modules }: DatabaseNeeds,
  at: { owner: string; module: string; version: string },
  { name, log }: { name: string | undefined; log: ChecksumLog | undefined },
): Promise<Looked> {
  const version = `${at.module}@${at.version}`
  const known = name === undefined ? undefined : await readRecorded(store, name, at)
  const facts = known && (await readModuleFacts(store, at))
  if (known && facts) {
    const isSame = facts.h1 === known.sums.zip && facts.goModH1 === known.sums.mod
    return isSame ? { version, result: 'known' } : { version, reason: OTHER_CONTENT }
  }
  if (!log) return { version, result: known ? 'known' : 'recorded' } // it would be
  return modules.alone(at, async () => {
    const path = versionFile(at, 'zip')
    if (!(await store.exists(path))) return { version, result: 'gone' }
    const reading = await zips.read(store.at(path), { patient: true })
    if (!reading.ok) return { version, reason: `its zip is damaged: ${PLINTH} verify tells more` }
    try {
      await log.append(at, { zip: reading.zip.zipHash, mod: reading.zip.modHash })
    } catch (error) {
      if (!(error instanceof Refusal) || error.status >= 500) throw error
      return { version, reason: error.status === 409 ? OTHER_CONTENT : error.message }
    }
    return { version, result: known ? 'known' : 'recorded' }
  })
}

/** Tells go that there is a database. */
async function show(store: Store, { owner, signer }: ChecksumLog): Promise<void> {
  await showToGo(store, owner, signer.name)
  await writeStatus(store, owner, 'enabled')
}

/**
 * Takes the database of an owner out of the tree. Its key, records and heads stay: enabling goes on with them. Throws a
 * 409 when nobody knows its name.
 */
export async function disableDatabase({ store, databases }: DatabaseNeeds, owner: string): Promise<void> {
  const name = await databases.nameOf(owner)
  if (name === undefined)
    throw new Refusal(409, `the key of the checksum database of ${owner} is lost: rotate it`)
  const { folder, supported } = databasePaths(owner, name)
  if (await store.remove(supported)) await store.sync(folder)
  await writeStatus(store, owner, 'disabled') // before anything is published that is not recorded
  await databases.close(owner)
  await store.removeFolder(folder)
  await store.prune(dirname(folder), goFolder(owner)) // the names may have folders of their own
}
