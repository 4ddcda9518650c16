// Reads and checks a module zip. Synchronous where it can be: it runs in a worker thread. Contents are inflated by
// zip-content.ts and not by unzipper's streams: those believe the declared sizes, check no CRC, inflate any method, and
// took 3.6 times what go takes.

import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { quote } from '../errors.js'
import { checkZip, MAX_ZIP_BYTES, shownName, type ZipEntry } from '../gomod/check-zip.js'
import { goModHash, hash1, type HashedFile } from '../gomod/dirhash.js'
import { modulePathOf, syntheticMod } from '../gomod/modfile.js'
import type { Problem } from '../gomod/problems.js'
import { readerOf } from './open-zip.js'
import { BadContent, bodyOffset, verifyContent, type LocatedEntry } from './zip-content.js'
import { locateDirectory, NotAZip, type ReadAt } from './zip-directory.js'
import { readEntries } from './zip-entries.js'

/** A module zip that is right. The hashes are the two of go.sum, `h1:…`. */
export type ModuleZip = {
  module: string
  version: string
  /** The bytes to serve as `.mod`: the root go.mod, or the synthetic one. */
  mod: Uint8Array
  zipHash: string
  modHash: string
  warnings: Problem[]
}

/** Either the module, or every problem that was found. */
export type ZipReading = { ok: true; zip: ModuleZip } | { ok: false; problems: Problem[] }

/** The size of the buffer for bytes that are only hashed or inflated. */
const SCRATCH_BYTES = 2 ** 20

/** SHA-256 of nothing: the content of an entry for a folder. */
const EMPTY_SHA256 = createHash('sha256').digest('hex')

/**
 * Reads and checks the module zip at `path`: names, sizes, contents, hashes. Blocks its thread while it works. Holds at
 * most the central directory, one piece of one entry, and the go.mod in memory.
 * A bad zip is a result, not an error. Throws when the disk fails or the file is gone.
 */
export async function readModuleZip(path: string): Promise<ZipReading> {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    return await readOpenZip(readerOf(file, Buffer.allocUnsafe(Math.min(size, SCRATCH_BYTES))), size)
  } catch (error) {
    if (error instanceof NotAZip) return { ok: false, problems: [{ rule: error.message }] }
    throw error
  } finally {
    closeSync(file)
  }
}

async function readOpenZip(read: ReadAt, fileSize: number): Promise<ZipReading> {
  if (fileSize > MAX_ZIP_BYTES) {
    const rule = `module zip file is too large (${fileSize} bytes; limit is ${MAX_ZIP_BYTES} bytes)`
    return { ok: false, problems: [{ rule }] }
  }
  const entries = await readEntries(read, locateDirectory(read, fileSize))
  const { module, version, problems, warnings } = checkZip(entries)
  problems.push(...overlapProblems(entries))
  if (problems.length > 0 || module === undefined || version === undefined) return { ok: false, problems }

  const goModName = `${module}@${version}/go.mod`
  const content = await readContents(read, fileSize, entries, goModName)
  if (content.problems.length > 0) return { ok: false, problems: content.problems }
  const mod = content.goMod ?? Buffer.from(syntheticMod(module))
  warnings.push(...goModWarnings(module, goModName, mod))
  const zipHash = hash1(content.hashed)
  return { ok: true, zip: { module, version, mod, zipHash, modHash: goModHash(mod), warnings } }
}

// Ours: entries that share bytes would let a small file cause endless work.
function overlapProblems(entries: readonly LocatedEntry[]): Problem[] {
  const problems: Problem[] = []
  let end = -1
  let before: LocatedEntry | undefined
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (before && entry.offset >= 0 && entry.offset < end)
      problems.push({ name: shownName(entry), rule: `overlaps the entry ${quote(shownName(before))}` })
    end = Math.max(end, entry.offset + 30 + entry.packedSize)
    before = entry
  }
  return problems
}

/** The contents of all entries. `goMod` is that of the entry `goModName`, where there is one. */
type Contents = { hashed: HashedFile[]; goMod: Buffer | undefined; problems: Problem[] }

async function readContents(
  read: ReadAt,
  fileSize: number,
  entries: readonly LocatedEntry[],
  goModName: string,
): Promise<Contents> {
  const found: Contents = { hashed: [], goMod: undefined, problems: [] }
  for (const entry of entries) {
    const name = shownName(entry)
    const kept: Buffer[] | undefined = name === goModName ? [] : undefined
    try {
      const sha256 = isFolder(entry)
        ? hashOfFolder(read, entry)
        : await verifyContent(read, fileSize, entry, kept)
      found.hashed.push({ name: entry.name, sha256 })
    } catch (error) {
      if (!(error instanceof BadContent)) throw error
      found.problems.push({ name, rule: error.message })
    }
    if (kept) found.goMod = Buffer.concat(kept)
  }
  return found
}

const isFolder = (entry: ZipEntry): boolean => entry.name.at(-1) === 0x2f

function hashOfFolder(read: ReadAt, entry: LocatedEntry): string {
  bodyOffset(read, entry) // throws when its local header is missing
  return EMPTY_SHA256
}

function goModWarnings(module: string, name: string, mod: Buffer): Problem[] {
  const declared = modulePathOf(mod.toString('utf8'))
  if (declared === module) return []
  const rule =
    declared === undefined
      ? 'no module line that can be read: go refuses this version'
      : `declares its path as ${quote(declared)}: go uses it through a replace directive only`
  return [{ name, rule }]
}
