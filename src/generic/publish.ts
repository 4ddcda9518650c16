// Publishing and deleting generic files. One file is one name: link(2) publishes it, unlink(2) deletes it, and a
// whole version leaves the tree by one rename. The journal keeps each in step with the record of its SHA-256.

import { dirname } from 'node:path'
import { Refusal } from '../errors.js'
import { genericFile, genericFolder, genericVersionFolder, type GenericVersion } from '../layout.js'
import type { Journal } from '../packages/journal.js'
import { queueKey, type FileOperation } from '../packages/operation.js'
import type { PublicationClock } from '../packages/publication-clock.js'
import type { Exclusively } from '../packages/queue.js'
import type { Store } from '../store/store.js'
import type { Sum } from '../digest.js'
import { mustBeDeclared } from '../access/files.js'
import { forgetRecords, linkRecord, recordFolder, writeRecord } from '../packages/records.js'

/** What publishing needs; one of each exists. */
export type FilePublishing = {
  store: Store
  journal: Journal
  exclusively: Exclusively
  clock: PublicationClock
}

/** A file that arrived whole: its place (absolute), what is known of its bytes. */
export type ArrivedFile = Sum & { path: string }

export type FilePublisher = ReturnType<typeof makeFilePublisher>

const conflict = ({ name, version }: GenericVersion, file: string): Refusal =>
  new Refusal(409, `file ${JSON.stringify(file)} exists already in ${name} ${version}: delete it first`)

const at = ({ owner, name, version }: GenericVersion): GenericVersion => ({ owner, name, version })

export function makeFilePublisher({ store, journal, exclusively, clock }: FilePublishing) {
  /** Runs `action` in the version's queue, when nothing of an earlier failure is left of the version. */
  const alone = <T>(version: GenericVersion, action: () => Promise<T>): Promise<T> =>
    exclusively(queueKey(version), async () => {
      await journal.repair(queueKey(version), (entry) =>
        'module' in entry ? Promise.resolve() : settle(entry),
      )
      return action()
    })

  /** Throws the 409 that an upload of `file` would end in, before its body is asked for. */
  const mustBeFree = (version: GenericVersion, file: string): Promise<void> =>
    alone(version, async () => {
      if (await store.exists(genericFile(version, file))) throw conflict(version, file)
    })

  /** Takes one file away with the record of its sum, and the version with its last one. */
  async function withdraw(version: GenericVersion, file: string): Promise<void> {
    const target = genericFile(version, file)
    await store.remove(target)
    await forgetRecords(store, [target])
    await store.prune(genericVersionFolder(version), genericFolder(version.owner))
  }

  /** Takes a whole version away; `files` are those that it had, which only the journal knows after a crash. */
  async function withdrawVersion(version: GenericVersion, files: readonly string[]): Promise<void> {
    await store.removeFolder(genericVersionFolder(version))
    await forgetRecords(
      store,
      files.map((file) => genericFile(version, file)),
    )
    await store.prune(dirname(genericVersionFolder(version)), genericFolder(version.owner))
  }

  /** Publishes the file. Resolves when it is on the disk; throws a 409 when the name is taken. */
  function publish(
    version: GenericVersion,
    file: string,
    { path, sha256, size }: ArrivedFile,
  ): Promise<void> {
    const target = genericFile(version, file)
    const entry: FileOperation = { op: 'publish', ...at(version), file, sha256, size }
    return alone(version, async () => {
      await mustBeDeclared(store, version.owner) // it may have been removed while the body came
      if (await store.exists(target)) throw conflict(version, file)
      let claimed = false
      await journal.during({
        entry,
        prepare: () => store.finish(path, clock.publicationTime(target)),
        action: async (_, record) => {
          claimed = await store.claim(path, target)
          if (!claimed) throw conflict(version, file)
          await linkRecord(store, record, target)
          await store.syncAll([dirname(target), recordFolder(target)])
        },
        undo: () =>
          claimed ? withdraw(version, file) : store.prune(dirname(target), genericFolder(version.owner)),
        left: () => (claimed ? { ...entry, op: 'delete' } : entry),
      })
    })
  }

  /** Deletes with the journal's entry on the disk; what has begun is finished, not undone. */
  const deleting = (entry: FileOperation, finish: () => Promise<void>): Promise<void> =>
    journal.during({
      entry,
      prepare: async () => {},
      action: finish,
      undo: async (begun) => (begun ? finish() : undefined),
      left: () => entry,
    })

  /** Deletes one file, and the version with its last one. Throws a 404 when there is none. */
  function removeFile(version: GenericVersion, file: string): Promise<void> {
    const target = genericFile(version, file)
    return alone(version, async () => {
      const status = await store.status(target)
      if (!status)
        throw new Refusal(404, `no file ${JSON.stringify(file)} in ${version.name} ${version.version}`)
      const entry: FileOperation = { op: 'delete', ...at(version), file }
      await deleting(entry, () => withdraw(version, file))
      clock.removed(target, status.mtime)
    })
  }

  /** Deletes a version with all its files. Throws a 404 when there is none. */
  function removeVersion(version: GenericVersion): Promise<void> {
    const folder = genericVersionFolder(version)
    return alone(version, async () => {
      const files = await store.names(folder)
      if (files.length === 0) throw new Refusal(404, `no package ${version.name} ${version.version}`)
      const removed: { path: string; mtime: Date }[] = []
      for (const file of files) {
        const status = await store.status(genericFile(version, file))
        if (status) removed.push({ path: genericFile(version, file), mtime: status.mtime })
      }
      const entry: FileOperation = { op: 'delete', ...at(version), files }
      await deleting(entry, () => withdrawVersion(version, files))
      for (const { path, mtime } of removed) clock.removed(path, mtime)
    })
  }

  /** Completes or withdraws what was left of one operation. Runs in the version's queue, or while nothing else runs. */
  async function settle(entry: FileOperation): Promise<void> {
    if ('files' in entry) return withdrawVersion(entry, entry.files)
    const target = genericFile(entry, entry.file)
    const status = await store.status(target)
    if (entry.op === 'delete' || !status) return withdraw(entry, entry.file)
    if (status.size === entry.size) await writeRecord(store, target, entry)
    await store.syncAll([dirname(target), recordFolder(target)])
  }

  return { mustBeFree, publish, removeFile, removeVersion, settle, alone }
}
