// A module cache's versions into the tree, by the way that uploads take. What is there already is compared, so that an
// import that was interrupted goes on where it was when it is run again.

import { readFile, stat } from 'node:fs/promises'
import { errno, messageOf, Refusal, Unsettled } from '../errors.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import { versionFile } from '../layout.js'
import { someAtOnce } from './some-at-once.js'
import { Changed, Unreadable, type CopyIn } from '../store/copy-in.js'
import { downloadFolder, findVersions, type FoundVersion, type Unusable } from './find.js'
import { infoTime, timeWithoutInfo } from './info.js'
import { sumOf } from '../digest.js'
import { compareModule } from '../packages/same-content.js'
import { mustBeDeclared } from '../access/files.js'
import type { Config } from '../config.js'
import type { ModuleIntake } from '../go/intake.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { Store } from '../store/store.js'

const AT_ONCE = 4
/** x/mod/zip MaxGoMod, which a .mod may have; the other small files have a few hundred bytes. */
const MAX_SMALL_BYTES = 16 * 2 ** 20

/** The parts that an import needs. */
type Needs = { config: Config; store: Store; zips: CheckPool; intake: ModuleIntake; copyIn: CopyIn }

/** `folder` is absolute. `dry`: everything is checked, nothing is written. */
export type ImportRequest = { folder: string; owner: string; dry: boolean }

/** What became of a version. `published` in a dry run: would be. `incomplete`: without a zip. */
export type ImportResult = 'published' | 'identical' | 'different' | 'refused' | 'incomplete'
/** How many there are of each, and the bytes of the zips that were published. */
export type ImportTotals = Record<ImportResult, number> & { bytes: number }
/** `version` is `module@version`, or the path of what is none; `reason` for what was refused or is different. */
export type ImportOutcome = { version: string; result: ImportResult; reason?: string; bytes: number }
export type ImportEvent =
  { outcome: ImportOutcome; totals: ImportTotals } | { totals: ImportTotals; done: true }

/** What the cache's files beside a zip say of it. */
type Beside = { mod?: Buffer; zipHash?: string; published: Date }

async function readSmall(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > MAX_SMALL_BYTES) throw new Refusal(400, `${path} is too large`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Unreadable(`${path} cannot be read: ${errno(error) ?? messageOf(error)}`, { cause: error })
  }
}

async function readBeside({ version, base, has }: FoundVersion): Promise<Beside> {
  const info = has.has('info') ? infoTime(version, (await readSmall(`${base}.info`)).toString()) : {}
  if ('problem' in info) throw new Refusal(400, info.problem)
  return {
    published: info.time ?? timeWithoutInfo(version, (await stat(`${base}.zip`)).mtime),
    ...(has.has('mod') && { mod: await readSmall(`${base}.mod`) }),
    ...(has.has('ziphash') && { zipHash: (await readSmall(`${base}.ziphash`)).toString().trim() }),
  }
}

function mustAgree({ module, version }: FoundVersion, { mod, zipHash }: Beside, zip: ModuleZip): void {
  if (zip.module !== module || zip.version !== version)
    throw new Refusal(400, `its zip holds ${zip.module}@${zip.version}`)
  if (zipHash !== undefined && zipHash !== zip.zipHash)
    throw new Refusal(
      400,
      `its zip was damaged since it was downloaded: ${zip.zipHash}, .ziphash says ${zipHash}`,
    )
  if (mod && !mod.equals(zip.mod)) throw new Refusal(400, 'its .mod is not the go.mod in its zip')
}

// What would end every other version the same way: the disk, the service.
const endsAll = (error: unknown): boolean =>
  error instanceof Refusal
    ? error.status >= 500
    : !(error instanceof Unreadable || error instanceof Changed) || error instanceof Unsettled

/**
 * Imports what is in the folder. Yields each version's outcome with the totals, in no order, and once more the totals
 * at the end. Throws a {@link Refusal}: 404 without the owner or the folder, 403 when it cannot be read, 507 when
 * there is no room any more; what was published by then stays. `signal` ends it.
 */
export async function* importVersions(
  { config, store, zips, intake, copyIn }: Needs,
  { folder, owner, dry }: ImportRequest,
  signal: AbortSignal,
): AsyncGenerator<ImportEvent> {
  const limit = config.maxModuleBytes

  async function compare(found: FoundVersion, zip?: ModuleZip): Promise<Omit<ImportOutcome, 'version'>> {
    const path = `${found.base}.zip`
    const at = { owner, module: found.module, version: found.version }
    const zipHash = async (): Promise<string> => (zip ?? (await intake.read(path, { patient: true }))).zipHash
    const comparison = await compareModule({ store, zips }, at, await sumOf(path), zipHash)
    if (comparison === 'identical') return { result: 'identical', bytes: 0 }
    const reason =
      comparison === 'absent'
        ? 'it was deleted during the import: run it again'
        : 'other files are published as this version: one of the two is not the original'
    return { result: 'different', reason, bytes: 0 }
  }

  async function publish(found: FoundVersion): Promise<Omit<ImportOutcome, 'version'>> {
    const path = `${found.base}.zip`
    const at = { owner, module: found.module, version: found.version }
    if (await store.exists(versionFile(at, 'zip'))) return compare(found)
    const beside = await readBeside(found)
    if (dry) {
      mustAgree(found, beside, await intake.read(path, { patient: true }))
      return { result: 'published', bytes: (await stat(path)).size }
    }
    return copyIn.copy(path, { limit, signal }, async (received) => {
      const zip = await intake.read(received.path, { patient: true })
      mustAgree(found, beside, zip)
      try {
        await intake.publishRead(owner, received, zip, beside.published)
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 409) throw error
        return compare(found, zip) // somebody else published it meanwhile
      }
      return { result: 'published', bytes: received.size }
    })
  }

  async function take(found: FoundVersion | Unusable): Promise<ImportOutcome> {
    if ('reason' in found) return { version: found.path, result: 'refused', reason: found.reason, bytes: 0 }
    const version = `${found.module}@${found.version}`
    if (!found.has.has('zip')) return { version, result: 'incomplete', bytes: 0 }
    signal.throwIfAborted()
    try {
      return { version, ...(await publish(found)) }
    } catch (error) {
      if (signal.aborted || endsAll(error)) throw error
      return { version, result: 'refused', reason: messageOf(error), bytes: 0 }
    }
  }

  await mustBeDeclared(store, owner)
  const root = await downloadFolder(folder)
  const totals = { published: 0, identical: 0, different: 0, refused: 0, incomplete: 0, bytes: 0 }
  for await (const outcome of someAtOnce(AT_ONCE, findVersions(root), take)) {
    totals[outcome.result]++
    totals.bytes += outcome.bytes
    yield { outcome, totals }
  }
  yield { totals, done: true }
}
