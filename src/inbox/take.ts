// One file of the inbox: published like an upload, or refused with its reasons; then it leaves.

import { join } from 'node:path'
import { errno, messageOf, Refusal, Unsettled } from '../errors.js'
import { compareFile, compareModule, type Comparison } from '../packages/same-content.js'
import { folders } from '../layout.js'
import type { Log, LogFields } from '../log.js'
import { Changed, Unreadable, type CopyIn } from '../store/copy-in.js'
import { placeOf, type Place } from './place.js'
import { makeReject } from './reject.js'
import type { Received } from '../store/write-body.js'
import { mustBeNames } from '../generic/names.js'
import { isDeclared } from '../access/files.js'
import type { Config } from '../config.js'
import type { ModuleIntake } from '../go/intake.js'
import type { FilePublisher } from '../generic/publish.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { Store } from '../store/store.js'

/** What taking works with; one of each exists. */
export type Inbox = {
  config: Config
  store: Store
  zips: CheckPool
  intake: ModuleIntake
  files: FilePublisher
  copyIn: CopyIn
  log: Log
}

/** `gone`: it has left the inbox. `changed`: it must settle anew. `later`: no fault of it, tried again. */
export type Outcome = { result: 'gone' | 'changed' } | { result: 'later'; reason: string }

const NO_ACCESS = ['EACCES', 'EPERM']

// What is no fault of the file: the disk, the room, the stop.
function isForLater(error: unknown): boolean {
  if (error instanceof Refusal) return error.status >= 500
  if (error instanceof Unreadable) return !NO_ACCESS.includes(errno(error.cause) ?? '')
  return true
}

/** `root` is the inbox, absolute and without links; `signal` ends the copying. */
export function makeTake(inbox: Inbox, root: string, signal: AbortSignal) {
  const { config, store, zips, copyIn, intake, files, log } = inbox
  const reject = makeReject(store)

  // A name that is taken: by the very same, which a restart between publishing and leaving looks like, or by another.
  async function ifTaken(publish: Promise<void>, compare: () => Promise<Comparison>): Promise<boolean> {
    try {
      await publish
      return false
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 409 || error instanceof Unsettled) throw error
      const comparison = await compare()
      if (comparison === 'identical') return true
      if (comparison === 'absent') throw new Changed('it was deleted while it was compared', { cause: error })
      throw new Refusal(409, `${error.message}; what is published has other bytes`, { cause: error })
    }
  }

  async function module(owner: string, received: Received): Promise<LogFields> {
    const zip = await intake.read(received.path, { patient: true })
    const at = { owner, module: zip.module, version: zip.version }
    const again = await ifTaken(intake.publishRead(owner, received, zip), () =>
      compareModule({ store, zips }, at, received, async () => zip.zipHash),
    )
    return { result: again ? 'published already' : 'published', module: zip.module, version: zip.version }
  }

  async function publish(place: Place, received: Received): Promise<LogFields> {
    if (place.kind === 'module') return module(place.owner, received)
    const { at, file } = place
    const again = await ifTaken(files.publish(at, file, received), () =>
      compareFile(store, at, file, received),
    )
    return { result: again ? 'published already' : 'published' }
  }

  async function publishAt(path: string): Promise<void> {
    const begun = performance.now()
    const place = placeOf(path)
    if ('wrong' in place) throw new Refusal(400, place.wrong)
    const { owner } = place
    if (place.kind === 'file') mustBeNames(place.at, place.file)
    if (!(await isDeclared(store, owner)))
      throw new Refusal(
        404,
        `no owner ${JSON.stringify(owner)}: npx plinth owner add ${owner}, then drop it again`,
      )
    const limit = place.kind === 'module' ? config.maxModuleBytes : config.maxFileBytes
    await copyIn.copy(join(root, path), { limit, signal }, async (received, signature) => {
      const fields = await publish(place, received)
      // What was put in its place in the meantime stays, and is looked at for itself.
      store.removeUnchanged(`${folders.inbox}/${path}`, signature)
      const ms = Math.round(performance.now() - begun)
      log('info', 'inbox', { path, ...fields, bytes: received.size, sha256: received.sha256, ms })
    })
  }

  /** Takes the file at `path`, relative to the inbox. Throws nothing. */
  return async function take(path: string): Promise<Outcome> {
    try {
      await publishAt(path)
      return { result: 'gone' }
    } catch (error) {
      if (signal.aborted || error instanceof Changed) return { result: 'changed' }
      if (isForLater(error)) return { result: 'later', reason: messageOf(error) }
      try {
        const to = await reject(path, messageOf(error))
        log('warn', 'inbox', { path, result: 'rejected', to, reason: messageOf(error) })
        return { result: 'gone' }
      } catch (failure) {
        const reason = `${messageOf(error)}; and it cannot be moved to inbox/rejected: ${errno(failure) ?? messageOf(failure)}`
        return { result: 'later', reason }
      }
    }
  }
}
