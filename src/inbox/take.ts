// Takes one file of the inbox: publishes it like an upload, or rejects it with the reasons. It leaves the inbox either
// way.

import { basename, dirname } from 'node:path'
import { mustBeDeclared } from '../access/files.js'
import type { AuditedEnd, AuditLog } from '../audit/audit-log.js'
import type { Config } from '../config.js'
import { errno, messageOf, Refusal } from '../errors.js'
import { mustBeNames } from '../generic/names.js'
import type { FilePublisher } from '../generic/publish.js'
import type { ModuleIntake } from '../go/intake.js'
import type { Log, LogFields } from '../log.js'
import type { CheckPool } from '../modzip/check-pool.js'
import { compareFile, compareModule, publishOrCompare } from '../packages/same-content.js'
import type { CopyIn } from '../store/copy-in.js'
import { inFolder, removeUnchanged, type OpenRoot } from '../store/inbox-files.js'
import { Changed, type OpenedFolder } from '../store/opened-folder.js'
import { openRegularIn, Unreadable } from '../store/regular-file.js'
import type { Store } from '../store/store.js'
import type { Received } from '../store/write-body.js'
import { placeOf, type Place } from './place.js'
import { reject } from './reject.js'

/** What the inbox takes of the service's parts. */
export type InboxNeeds = {
  config: Pick<Config, 'maxModuleBytes' | 'maxFileBytes'>
  store: Store
  copyIn: CopyIn
  zips: Pick<CheckPool, 'read'>
  intake: Pick<ModuleIntake, 'read' | 'publishRead'>
  files: Pick<FilePublisher, 'publish'>
  log: Log
  audit: AuditLog
}

/** `openRoot` opens the inbox. `signal` ends the copying. */
export type Taking = InboxNeeds & { openRoot: OpenRoot; signal: AbortSignal }

/**
 * `gone`: the file has left the inbox. `changed`: it must settle anew. `later`: the file is not at fault, and is tried
 * again.
 */
type TakeOutcome = { result: 'gone' | 'changed' } | { result: 'later'; reason: string }

/**
 * Takes the file at `path`, relative to the inbox. Throws nothing. Everything from the first look at the file to its
 * removal is done in one opened folder: the folder that has the path by then may be another one.
 */
export async function take(needs: Taking, path: string): Promise<TakeOutcome> {
  try {
    return await inFolder(needs.openRoot, dirname(path), (folder) => takeFrom(needs, folder, path))
  } catch (error) {
    if (error instanceof Changed) return { result: 'changed' }
    return { result: 'later', reason: `its folder cannot be opened: ${errno(error) ?? messageOf(error)}` }
  }
}

async function takeFrom(needs: Taking, folder: OpenedFolder, path: string): Promise<TakeOutcome> {
  try {
    await publishFrom(needs, folder, path)
    return { result: 'gone' }
  } catch (error) {
    if (needs.signal.aborted || error instanceof Changed) return { result: 'changed' }
    if (isForLater(error)) return { result: 'later', reason: messageOf(error) }
    const reason = messageOf(error)
    const place = placeOf(path)
    if (!('wrong' in place)) record(needs, place.owner, path, { result: 'refused', reason })
    return rejectFrom(needs, folder, path, reason)
  }
}

const NO_ACCESS = ['EACCES', 'EPERM']

// Whether the file is not at fault, but the disk, the free space or the stop of the service.
function isForLater(error: unknown): boolean {
  if (error instanceof Refusal) return error.status >= 500
  if (error instanceof Unreadable) return !NO_ACCESS.includes(errno(error.cause) ?? '')
  return true
}

async function rejectFrom(
  { openRoot, log }: Taking,
  folder: OpenedFolder,
  path: string,
  reason: string,
): Promise<TakeOutcome> {
  try {
    const to = await reject(openRoot, folder, path, reason)
    log('warn', 'inbox', { path, result: 'rejected', to, reason })
    return { result: 'gone' }
  } catch (error) {
    const why = errno(error) ?? messageOf(error)
    return { result: 'later', reason: `${reason}; and it cannot be moved to inbox/rejected: ${why}` }
  }
}

async function publishFrom(needs: Taking, folder: OpenedFolder, path: string): Promise<void> {
  const { config, store, copyIn, log, signal } = needs
  const begun = performance.now()
  const place = placeOf(path)
  if ('wrong' in place) throw new Refusal(400, place.wrong)
  if (place.kind === 'file') mustBeNames(place.at, place.file)
  await mustBeDeclared(store, place.owner)
  const limit = place.kind === 'module' ? config.maxModuleBytes : config.maxFileBytes
  const entry = { folder, name: basename(path) }
  const file = await openRegularIn(entry.folder, entry.name)
  await copyIn.copy(file, { limit, signal }, async (received, signature) => {
    const fields =
      place.kind === 'module'
        ? await publishModule(needs, place.owner, received)
        : await publishFile(needs, place, received)
    const result = fields['result'] === 'published' ? 'done' : 'unchanged'
    record(needs, place.owner, whatOf(place, fields), { result })
    // Another file that has been put in its place meanwhile stays, and is taken for itself.
    removeUnchanged(entry, signature, received.path)
    const ms = Math.round(performance.now() - begun)
    log('info', 'inbox', { path, ...fields, bytes: received.size, sha256: received.sha256, ms })
  })
}

/** A file that was refused is named by its path: what is in it may not be known. */
function record({ audit }: Taking, owner: string, what: string, end: AuditedEnd): void {
  audit.record({ by: 'drop folder', kind: 'publish', owner, what, ...end })
}

// {version: 'v1.0.0', module: 'example.com/m'} → example.com/m@v1.0.0; a file → tool@1.0/a.txt
const whatOf = (place: Place, { module, version }: LogFields): string =>
  place.kind === 'module'
    ? `${String(module)}@${String(version)}`
    : `${place.at.name}@${place.at.version}/${place.file}`

async function publishModule(
  { store, zips, intake }: InboxNeeds,
  owner: string,
  received: Received,
): Promise<LogFields> {
  const zip = await intake.read(received, { patient: true })
  const at = { owner, module: zip.module, version: zip.version }
  // A restart after publishing and before the file has left the inbox finds the version there.
  const result = await publishOrCompare(intake.publishRead(owner, received, zip), () =>
    compareModule({ store, zips }, at, received, async () => zip.zipHash),
  )
  return { result, module: zip.module, version: zip.version }
}

async function publishFile(
  { store, files }: InboxNeeds,
  { at, file }: Extract<Place, { kind: 'file' }>,
  received: Received,
): Promise<LogFields> {
  const result = await publishOrCompare(files.publish(at, file, received), () =>
    compareFile(store, at, file, received),
  )
  return { result }
}
