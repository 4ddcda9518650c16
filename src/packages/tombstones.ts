// The promise of an immutable owner: what was deleted can come back only as it was. A delete writes a tombstone before
// it takes anything away, and a publish compares with it before it claims anything. Nothing here is called for any
// other owner.
//
// A tombstone stays, also when the same content is published again, or when the owner becomes mutable: then nobody asks
// for it. One of a delete that did not come about says what is there, which harms nothing. Only the removal of the
// owner takes it away.

import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sumOf } from '../digest.js'
import { PLINTH, quote, Refusal } from '../errors.js'
import { problemText } from '../gomod/problems.js'
import {
  folders,
  genericFile,
  goneFile,
  moduleViews,
  versionFile,
  type GenericVersion,
  type ModuleVersion,
} from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import { readEach } from '../store/read-each.js'
import type { Store } from '../store/store.js'
import { readRecord } from './records.js'
import {
  buriedPath,
  parseModuleSums,
  parseTombstone,
  tombstoneText,
  type ModuleSums,
  type Tombstone,
} from './tombstone.js'

/** One tombstone: the path of its file, and what it says. It is `undefined` for a damaged or misplaced one. */
type TombstoneFile = { path: string; tombstone: Tombstone | undefined }

const parsed = (path: string, text: string): Tombstone | undefined => {
  const tombstone = parseTombstone(text)
  return tombstone && goneFile(buriedPath(tombstone)) === path ? tombstone : undefined
}

/** Yields every tombstone, one folder of names at a time. One that is removed meanwhile is left out. */
export async function* allTombstones(store: Store): AsyncGenerator<TombstoneFile> {
  for (const prefix of await store.names(folders.gone))
    for (const name of await store.names(`${folders.gone}/${prefix}`)) {
      const path = `${folders.gone}/${prefix}/${name}`
      const bytes = await store.read(path)
      if (bytes) yield { path, tombstone: parsed(path, bytes.toString()) }
    }
}

/** Whether there is a tombstone of `owner`. */
export async function hasTombstones(store: Store, owner: string): Promise<boolean> {
  for await (const { tombstone } of allTombstones(store)) if (tombstone?.owner === owner) return true
  return false
}

/** Removes the tombstones of `owner`, durably. */
export async function forgetTombstones(store: Store, owner: string): Promise<void> {
  const changed = new Set<string>()
  for await (const { path, tombstone } of allTombstones(store)) {
    if (tombstone?.owner !== owner) continue
    await store.remove(path)
    changed.add(dirname(path))
  }
  await store.syncAll([...changed])
}

/** `what` names a version or a file, `held` and `holds` what it was and what it would be. */
const otherContent = (
  what: string,
  { owner, time }: Tombstone,
  { held, holds }: Record<'held' | 'holds', string>,
): Refusal =>
  new Refusal(
    409,
    `${what} was deleted on ${time.slice(0, 10)}, and owner ${owner} is immutable: it can come back only as it was ` +
      `(${held}), and this is other content (${holds}). Publish a new version`,
  )

const fileText = ({ name, version }: GenericVersion, file: string): string =>
  `file ${quote(file)} of ${name} ${version}`

export class Tombstones {
  readonly #store: Store
  readonly #zips: Pick<CheckPool, 'read'>

  constructor({ store, zips }: { store: Store; zips: Pick<CheckPool, 'read'> }) {
    this.#store = store
    this.#zips = zips
  }

  /**
   * Throws a 409 when this version of an immutable owner was deleted with other content. `facts` is the absolute path
   * of the JSON text of the new zip's ModuleFacts.
   */
  async mustMatchVersion(at: ModuleVersion, facts: string): Promise<void> {
    const what = `${at.module} ${at.version}`
    const tombstone = await this.#find(versionFile(at, 'zip'), what, at.owner)
    if (!tombstone || !('module' in tombstone)) return
    const sums = parseModuleSums(await readFile(facts, 'utf8'))
    if (!sums) throw new Error(`the facts of the upload have no hashes: ${facts}`)
    if (sums.h1 !== tombstone.h1) throw otherContent(what, tombstone, { held: tombstone.h1, holds: sums.h1 })
    if (sums.goModH1 !== tombstone.goModH1)
      throw otherContent(what, tombstone, {
        held: `go.mod ${tombstone.goModH1}`,
        holds: `go.mod ${sums.goModH1}`,
      })
  }

  /** Throws a 409 when this file of an immutable owner was deleted with other bytes than those of `sha256` (hex). */
  async mustMatchFile(at: GenericVersion, file: string, sha256: string): Promise<void> {
    const what = fileText(at, file)
    const tombstone = await this.#find(genericFile(at, file), what, at.owner)
    if (!tombstone || 'module' in tombstone || tombstone.sha256 === sha256) return
    throw otherContent(what, tombstone, { held: `sha256 ${tombstone.sha256}`, holds: `sha256 ${sha256}` })
  }

  /**
   * Keeps what a version holds, durably. Call it before anything of it is taken away. Throws a 409 when nobody can
   * tell that, since the zip is damaged.
   */
  async buryVersion({ owner, module, version }: ModuleVersion): Promise<void> {
    const at = { owner, module, version }
    await this.#bury([{ ...at, ...(await this.#sumsOf(at)), time: new Date().toISOString() }])
  }

  /** {@link buryVersion} for files of a generic version. */
  async buryFiles({ owner, name, version }: GenericVersion, files: readonly string[]): Promise<void> {
    const at = { owner, name, version }
    const time = new Date().toISOString()
    const buried = await readEach(files, async (file) => {
      const path = genericFile(at, file)
      const status = await this.#store.status(path)
      if (!status?.isFile()) return [] // somebody put it there: no upload can
      const record = await readRecord(this.#store, path)
      const isRecorded = record?.size === status.size ? record.sha256 : undefined
      const sha256 = isRecorded ?? (await sumOf(this.#store.at(path))).sha256
      return [{ ...at, file, sha256, time }]
    })
    await this.#bury(buried.flat())
  }

  /** The hashes of a version that is there: those of its facts, or without these of its zip. */
  async #sumsOf(at: ModuleVersion): Promise<ModuleSums> {
    const facts = await this.#store.read(moduleViews(at).facts(at.version))
    const known = facts && parseModuleSums(facts.toString())
    if (known) return known
    const reading = await this.#zips.read(this.#store.at(versionFile(at, 'zip')))
    if (reading.ok) return { h1: reading.zip.zipHash, goModH1: reading.zip.modHash }
    throw new Refusal(
      409,
      `${at.module} ${at.version} cannot be deleted: owner ${at.owner} is immutable, and nobody can tell what the ` +
        `version is, since its zip cannot be read (${problemText(reading.problems)}). Restore it from a backup, or ` +
        `let it go with "${PLINTH} owner set ${at.owner} --mutable"`,
    )
  }

  /** The tombstone of the file that was at `path`. Throws a 409 when it is damaged: it may be of another content. */
  async #find(path: string, what: string, owner: string): Promise<Tombstone | undefined> {
    const text = await this.#store.read(goneFile(path))
    const tombstone = text && parsed(goneFile(path), text.toString())
    if (text && !tombstone)
      throw new Refusal(
        409,
        `${what} was deleted, and owner ${owner} is immutable, but the file that says what it was is damaged: nobody ` +
          `can tell whether this is the same. Publish a new version, or have the file that "${PLINTH} verify" names ` +
          'restored from a backup',
      )
    return tombstone
  }

  async #bury(tombstones: readonly Tombstone[]): Promise<void> {
    const changed = await readEach(tombstones, async (tombstone) => {
      const path = goneFile(buriedPath(tombstone))
      const there = await this.#store.read(path)
      if (!there || !isSame(parsed(path, there.toString()), tombstone))
        await this.#store.writeMaking(path, tombstoneText(tombstone), { secret: true })
      return dirname(path)
    })
    await this.#store.syncAll([...new Set(changed)]) // also of one that was there: its sync may have failed
  }
}

/** Whether both say the same of a file, but for the time. */
const isSame = (a: Tombstone | undefined, b: Tombstone): boolean =>
  a !== undefined && tombstoneText({ ...a, time: b.time }) === tombstoneText(b)
