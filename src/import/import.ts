// Imports the versions of a module cache, in the way that uploads take. A version that is published already is
// compared: an import that was interrupted goes on when it is run again.

import { mustBeDeclared } from '../access/files.js'
import type { Config } from '../config.js'
import { sumOf } from '../digest.js'
import { messageOf, NameTaken, Refusal } from '../errors.js'
import type { GoSum } from '../gomod/go-sum.js'
import type { ModuleIntake } from '../go/intake.js'
import { versionFile, type ModuleVersion } from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import { readModuleFacts } from '../packages/published.js'
import { compareModule } from '../packages/same-content.js'
import type { CopyIn } from '../store/copy-in.js'
import { CountAhead } from '../shares/count-ahead.js'
import { Places } from '../shares/places.js'
import { Changed } from '../store/opened-folder.js'
import { openRegular, Unreadable, withRegular } from '../store/regular-file.js'
import type { Store } from '../store/store.js'
import { mustAgree, readBeside } from './cache-files.js'
import { mustBeAsListed, readCarriedSums } from './carried-sums.js'
import { downloadFolder, findVersions, type FoundVersion, type Unusable } from './find.js'
import { someAtOnce } from '../shares/some-at-once.js'

/** Versions that are copied and checked at the same time. A copy has 2 MiB of buffers. */
const READ_AT_ONCE = 6
/**
 * Versions that are imported at the same time. Those that are checked wait for the disk, which syncs them together, or
 * for other versions of their module, and hold little memory. With fewer of them the processors would wait, too.
 */
const AT_ONCE = 24
/** An import takes turns with the drop folder. */
const ACCOUNT = 'import'

/** What an import takes of the service's parts. */
type ImportNeeds = {
  config: Pick<Config, 'maxModuleBytes'>
  store: Store
  copyIn: CopyIn
  zips: Pick<CheckPool, 'read'>
  intake: Pick<ModuleIntake, 'check' | 'read' | 'publishRead'>
}

/**
 * `folder` is absolute. `dry`: everything is checked, nothing is written. `counted`: the versions are counted beside
 * the import.
 */
export type ImportRequest = { folder: string; owner: string; dry: boolean; counted?: boolean }

/** The result for one version. In a dry run `published` means that it would be. `incomplete`: it has no zip. */
type ImportResult = 'published' | 'identical' | 'different' | 'refused' | 'incomplete'
/** How many versions have each result, and the bytes of the zips that were published. */
export type ImportTotals = Record<ImportResult, number> & { bytes: number }
/**
 * `version` is `module@version`, or the path of a file that is not one. `reason` is of a version that was refused or is
 * different.
 */
export type ImportOutcome = { version: string; result: ImportResult; reason?: string; bytes: number }
/**
 * `of` is the number of all versions, once it is known. `unlisted`, where a go.sum travels along: how many versions are
 * published that it says nothing of.
 */
export type ImportEvent =
  | { outcome: ImportOutcome; totals: ImportTotals; of?: number }
  | { totals: ImportTotals; done: true; unlisted?: number }

/** The totals before the first version. */
export const NOTHING_IMPORTED: Readonly<ImportTotals> = {
  published: 0,
  identical: 0,
  different: 0,
  refused: 0,
  incomplete: 0,
  bytes: 0,
}

/** `sums` are the lines that travel along, if there are any; see {@link ImportEvent} for `unlisted`. */
type Importing = ImportNeeds & {
  owner: string
  dry: boolean
  signal: AbortSignal
  sums: GoSum | undefined
  unlisted: number
  /** For those that are copied and checked. */
  reading: Places
}
type VersionOutcome = Omit<ImportOutcome, 'version'>

/**
 * Imports what is in the folder. Yields each version's outcome with the totals, in no order, and the totals once more
 * at the end. `signal` ends it. Throws a {@link Refusal}: 404 when the owner or the folder does not exist, 403 when the
 * folder cannot be read, 400 when the go.sum in it is none, 507 when the disk is full. What was published by then
 * stays.
 */
export async function* importVersions(
  needs: ImportNeeds,
  { folder, owner, dry, counted = false }: ImportRequest,
  signal: AbortSignal,
): AsyncGenerator<ImportEvent> {
  await mustBeDeclared(needs.store, owner)
  const root = await downloadFolder(folder)
  const sums = await readCarriedSums(root)
  const reading = new Places(READ_AT_ONCE)
  const importing = { ...needs, owner, dry, signal, sums, unlisted: 0, reading }
  const totals = { ...NOTHING_IMPORTED }
  const outcomes = someAtOnce(AT_ONCE, findVersions(root), (found) => importOne(importing, found))
  const ahead = counted ? new CountAhead(findVersions(root)) : undefined
  try {
    for await (const outcome of outcomes) {
      totals[outcome.result]++
      totals.bytes += outcome.bytes
      yield { outcome, totals, ...ahead?.known }
    }
  } finally {
    ahead?.stop()
  }
  yield { totals, done: true, ...(sums && { unlisted: importing.unlisted }) }
}

async function importOne(importing: Importing, found: FoundVersion | Unusable): Promise<ImportOutcome> {
  if ('reason' in found) return { version: found.path, result: 'refused', reason: found.reason, bytes: 0 }
  const version = `${found.module}@${found.version}`
  if (!found.has.has('zip')) return { version, result: 'incomplete', bytes: 0 }
  importing.signal.throwIfAborted()
  try {
    const outcome = await publish(importing, found)
    const isThere = outcome.result === 'published' || outcome.result === 'identical'
    if (isThere && importing.sums?.of(found.module, found.version).zip === undefined) importing.unlisted++
    return { version, ...outcome }
  } catch (error) {
    if (importing.signal.aborted || endsAll(error)) throw error
    return { version, result: 'refused', reason: messageOf(error), bytes: 0 }
  }
}

// Whether every other version would fail in the same way: because of the disk or the service.
const endsAll = (error: unknown): boolean =>
  error instanceof Refusal ? error.status >= 500 : !(error instanceof Unreadable || error instanceof Changed)

async function publish(importing: Importing, found: FoundVersion): Promise<VersionOutcome> {
  const { store, owner, sums } = importing
  const path = `${found.base}.zip`
  const at = { owner, module: found.module, version: found.version }
  if (await store.exists(versionFile(at, 'zip'))) {
    const facts = sums && (await readModuleFacts(store, at))
    if (facts) mustBeAsListed(sums, found, { zipHash: facts.h1, modHash: facts.goModH1 }, 'what is published')
    return withRegular(path, (opened) => compare(importing, at, opened))
  }
  const leave = await importing.reading.take()
  try {
    importing.signal.throwIfAborted()
    return await (importing.dry
      ? checkOnly(importing, found, path)
      : copyAndPublish(importing, found, path, leave))
  } finally {
    leave()
  }
}

async function checkOnly(
  { intake, sums }: Importing,
  found: FoundVersion,
  path: string,
): Promise<VersionOutcome> {
  const beside = await readBeside(found)
  return withRegular(path, async (opened, { status: { size } }) => {
    const zip = await intake.check(opened, { patient: true, account: ACCOUNT })
    mustAgree(found, beside, zip)
    mustBeAsListed(sums, found, zip, 'it')
    return { result: 'published', bytes: size }
  })
}

/** Calls `checked` when the next version may be copied. */
async function copyAndPublish(
  importing: Importing,
  found: FoundVersion,
  path: string,
  checked: () => void,
): Promise<VersionOutcome> {
  const { config, copyIn, intake, owner, signal, sums } = importing
  const beside = await readBeside(found)
  return copyIn.copy(await openRegular(path), { limit: config.maxModuleBytes, signal }, async (received) => {
    const zip = await intake.read(received, { patient: true, account: ACCOUNT })
    mustAgree(found, beside, zip)
    mustBeAsListed(sums, found, zip, 'it')
    checked()
    try {
      await intake.publishRead(owner, received, zip, { published: beside.published })
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error
      const at = { owner, module: found.module, version: found.version }
      return compare(importing, at, received.path, zip) // an upload has published it meanwhile
    }
    return { result: 'published', bytes: received.size }
  })
}

/** Compares the zip at `path` with what is published. `zip` is what has been read of it, if it has been. */
async function compare(
  { store, zips, intake }: Importing,
  at: ModuleVersion,
  path: string,
  zip?: ModuleZip,
): Promise<VersionOutcome> {
  const zipHash = async (): Promise<string> =>
    (zip ?? (await intake.check(path, { patient: true, account: ACCOUNT }))).zipHash
  const comparison = await compareModule({ store, zips }, at, await sumOf(path), zipHash)
  if (comparison === 'identical') return { result: 'identical', bytes: 0 }
  const reason =
    comparison === 'absent'
      ? 'it was deleted during the import: run it again'
      : 'other files are published as this version: one of the two is not the original'
  return { result: 'different', reason, bytes: 0 }
}
