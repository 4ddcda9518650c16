// Reads and checks a module zip. Synchronous where it can be: it runs in a worker thread.

import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs'
import type { Sum } from '../digest.js'
import { quote } from '../errors.js'
import { checkZip, MAX_ZIP_BYTES, shownName, type ZipEntry } from '../gomod/check-zip.js'
import { goModHash, hash1, type HashedFile } from '../gomod/dirhash.js'
import { modulePathOf, syntheticMod } from '../gomod/modfile.js'
import { ProblemList, type Problem } from '../gomod/problems.js'
import { FactsTaker } from './facts-taker.js'
import { GoModTaker, START_BYTES } from './go-mod.js'
import { readerOf, type ReadAt } from './read-at.js'
import { BadContent, bodyOffset, verifyContent } from './zip-content.js'
import { ZipDirectory } from './zip-directory.js'
import { NotAZip } from './zip-end.js'
import type { LocatedEntry } from './zip-header.js'

/**
 * A module zip that is right. The hashes are the two of go.sum, `h1:…`. `mod` is of the bytes to serve as `.mod`: the
 * root go.mod, or the synthetic one.
 */
export type ModuleZip = {
  module: string
  version: string
  mod: Sum
  zipHash: string
  modHash: string
  warnings: Problem[]
}

/**
 * Either the module, or the problems that were found. Both have a few kB, whatever the zip has; `facts`, the JSON text
 * of ModuleFacts, has 1.5 MiB at most. `unsure`: it was too much to read, this time at least.
 */
export type ZipReading =
  { ok: true; zip: ModuleZip; facts?: string } | { ok: false; problems: Problem[]; unsure?: true }

/**
 * `mod` is the absolute path of a new file that gets the bytes to serve as `.mod`. It may be left behind, cut or
 * whole, by a zip that is refused. `facts` is that of a new file that gets the JSON text of ModuleFacts, of a right
 * zip alone. With `wantFacts` the reading has it. Without both nothing of it is read. With `plainReadme` the README
 * is not rendered, with `readmeImages` its images are loaded from where they are. `mostDirectoryBytes` is what may be
 * held in memory here.
 */
export type ZipReadOptions = {
  mod?: string | undefined
  facts?: string | undefined
  wantFacts?: true
  plainReadme?: true
  readmeImages?: boolean
  mostDirectoryBytes?: number
}

/** The size of the buffer for bytes that are only hashed or inflated. */
const SCRATCH_BYTES = 2 ** 20

const SHA256_BYTES = 32
/** The content of an entry for a folder. */
const EMPTY_SHA256 = createHash('sha256').digest()

/**
 * Reads and checks the module zip at `path`: names, sizes, contents, hashes. Blocks its thread while it works. Holds
 * the central directory, some 200 bytes for each file, and one piece of one entry in memory.
 * A bad zip is a result, not an error. Throws when the disk fails or the file is gone, and a LargeDirectory for one of
 * over `mostDirectoryBytes`.
 */
export async function readModuleZip(path: string, options: ZipReadOptions = {}): Promise<ZipReading> {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    const read = readerOf(file, Buffer.allocUnsafe(Math.min(size, SCRATCH_BYTES)))
    return await readOpenZip(read, size, options)
  } catch (error) {
    if (error instanceof NotAZip) return { ok: false, problems: [{ rule: error.message }] }
    throw error
  } finally {
    closeSync(file)
  }
}

async function readOpenZip(read: ReadAt, fileSize: number, options: ZipReadOptions): Promise<ZipReading> {
  if (fileSize > MAX_ZIP_BYTES) {
    const rule = `module zip file is too large (${fileSize} bytes; limit is ${MAX_ZIP_BYTES} bytes)`
    return { ok: false, problems: [{ rule }] }
  }
  const directory = ZipDirectory.read(read, fileSize, options.mostDirectoryBytes)
  const { module, version, problems, warnings } = checkZip(directory)
  addOverlaps(directory, problems)
  const wrong = problems.list()
  if (wrong.length > 0 || module === undefined || version === undefined) return { ok: false, problems: wrong }

  const takers: Takers = {
    prefix: `${module}@${version}/`,
    goMod: new GoModTaker(options.mod),
    ...((options.facts !== undefined || options.wantFacts) && { facts: new FactsTaker(module) }),
  }
  const { goMod } = takers
  try {
    const content = await readContents(read, fileSize, directory, takers)
    if (content.problems.length > 0) return { ok: false, problems: content.problems }
    if (!content.hasGoMod) goMod.take(Buffer.from(syntheticMod(module)))
    const { sha256, size, start } = goMod.finish()
    for (const warning of goModWarnings(module, `${takers.prefix}go.mod`, start, size)) warnings.add(warning)
    const [zipHash, modHash] = [hash1(hashed(directory, content.hashes)), goModHash(sha256)]
    const zip = { module, version, mod: { sha256, size }, zipHash, modHash, warnings: warnings.list() }
    if (!takers.facts) return { ok: true, zip }
    const goModText = size <= START_BYTES ? start : undefined
    const ofZip = { h1: zipHash, goModH1: modHash, files: content.files, goMod: goModText }
    const facts = takers.facts.text(ofZip, {
      plain: options.plainReadme === true,
      images: options.readmeImages === true,
    })
    if (options.facts !== undefined) writeFileSync(options.facts, facts, { flag: 'wx', mode: 0o600 })
    return { ok: true, zip, ...(options.wantFacts && { facts }) }
  } finally {
    goMod.close()
  }
}

// Ours: entries that share bytes would let a small file cause endless work.
function addOverlaps(directory: ZipDirectory, problems: ProblemList): void {
  const offsets = new Float64Array(directory.length)
  const ends = new Float64Array(directory.length)
  let index = 0
  for (const { offset, packedSize } of directory) {
    offsets[index] = offset
    ends[index++] = offset + 30 + packedSize
  }
  const order = Uint32Array.from(offsets, (_, i) => i).sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0))
  let end = -1
  let before: number | undefined
  for (const i of order) {
    const offset = offsets[i] ?? 0
    if (before !== undefined && offset >= 0 && offset < end) {
      const rule = `overlaps the entry ${quote(shownName(directory.at(before)))}`
      problems.add({ name: shownName(directory.at(i)), rule })
    }
    if ((ends[i] ?? 0) <= end) continue
    end = ends[i] ?? 0
    before = i
  }
}

/** What takes the contents of files. Their names begin with `prefix`. */
type Takers = { prefix: string; goMod: GoModTaker; facts?: FactsTaker }

/** The SHA-256 of every entry's content, one after the other, and the number of those that are no folders. */
type Contents = { hashes: Buffer; files: number; hasGoMod: boolean; problems: Problem[] }

async function readContents(
  read: ReadAt,
  fileSize: number,
  directory: ZipDirectory,
  { prefix, goMod, facts }: Takers,
): Promise<Contents> {
  const hashes = Buffer.alloc(directory.length * SHA256_BYTES)
  const problems = new ProblemList()
  const goModName = Buffer.from(`${prefix}go.mod`)
  let hasGoMod = false
  let files = 0
  let index = 0
  for (const entry of directory) {
    const isGoMod = entry.name.equals(goModName)
    try {
      if (isFolder(entry)) hashOfFolder(read, entry).copy(hashes, index++ * SHA256_BYTES)
      else {
        files++
        const ofFacts = facts?.takerOf(entry.name.toString('utf8').slice(prefix.length))
        const take = isGoMod ? (piece: Buffer) => goMod.take(piece) : ofFacts?.take
        const sha256 = await verifyContent(read, fileSize, entry, take)
        sha256.copy(hashes, index++ * SHA256_BYTES)
        ofFacts?.end()
      }
    } catch (error) {
      if (!(error instanceof BadContent)) throw error
      problems.add({ name: shownName(entry), rule: error.message })
    }
    hasGoMod ||= isGoMod
  }
  return { hashes, files, hasGoMod, problems: problems.list() }
}

function* hashed(directory: ZipDirectory, hashes: Buffer): Generator<HashedFile> {
  for (const index of directory.inNameOrder()) {
    const sha256 = hashes.toString('hex', index * SHA256_BYTES, (index + 1) * SHA256_BYTES)
    yield { name: directory.nameAt(index), sha256 }
  }
}

const isFolder = (entry: ZipEntry): boolean => entry.name.at(-1) === 0x2f

function hashOfFolder(read: ReadAt, entry: LocatedEntry): Buffer {
  bodyOffset(read, entry) // throws when its local header is missing
  return EMPTY_SHA256
}

/** `start` is the beginning of the go.mod, which has `size` bytes. */
function goModWarnings(module: string, name: string, start: string, size: number): Problem[] {
  const declared = modulePathOf(start)
  if (declared === module) return []
  const where =
    size <= START_BYTES ? ': go refuses this version' : ' in its first 256 KiB: go may refuse this version'
  const rule =
    declared === undefined
      ? `no module line that can be read${where}`
      : `declares its path as ${quote(declared)}: go uses it through a replace directive only`
  return [{ name, rule }]
}
