// Reads a module zip; the only file that touches unzipper. Synchronous where it can be: it runs in a worker thread.
//
// unzipper parses the central directory, but it never sees the archive's own end record: that may claim 4·10⁹ entries
// (an endless loop) or stand where unzipper does not look. We locate and measure the directory as go does, and show
// unzipper just those bytes with an end record of ours. Contents are inflated here, not by unzipper's streams: those
// believe the declared sizes, check no CRC, inflate any method, and took 3.6 times what go takes.

import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { Readable } from 'node:stream'
import { Open } from 'unzipper'
import { checkZip, MAX_ZIP_BYTES, shownName, type ZipEntry } from '../gomod/check-zip.js'
import { goModHash, hash1, type HashedFile } from '../gomod/dirhash.js'
import { modulePathOf, syntheticMod } from '../gomod/modfile.js'
import { BadContent, bodyOffset, contents, verifyContent, type LocatedEntry } from './zip-content.js'
import { locateDirectory, NotAZip, type ReadAt, type ZipDirectory } from './zip-directory.js'
import { quote } from '../errors.js'
import type { Problem } from '../gomod/problems.js'

/** What a module zip is, when nothing is wrong with it. Hashes are the two of go.sum, `h1:…`. */
export type ModuleZip = {
  module: string
  version: string
  /** The bytes to serve as `.mod`: the root go.mod, or the synthetic one. */
  mod: Uint8Array
  zipHash: string
  modHash: string
  warnings: Problem[]
}

/** What is read only to be hashed or inflated goes through one buffer, as far as it fits. */
const SCRATCH_BYTES = 2 ** 20

/** Either the module, or every problem that was found. */
export type ZipReading = { ok: true; zip: ModuleZip } | { ok: false; problems: Problem[] }

// What unzipper 0.12 gives for an entry and its type definitions do not name
type UnzipperEntry = {
  pathBuffer: Buffer | ''
  flags: number
  versionMadeBy: number
  compressionMethod: number
  crc32: number
  compressedSize: number | null
  uncompressedSize: number | null
  externalFileAttributes: number
  offsetToLocalFileHeader: number | null
}

// Its type definitions leave the options out, too.
const openCustom = Open.custom as unknown as (
  source: { size: () => Promise<number>; stream: (offset: number, length?: number) => Readable },
  options: { tailSize: number },
) => Promise<{ files: UnzipperEntry[] }>

// zip64 end record, its locator, and an end record that sends the reader to them (APPNOTE.TXT 4.3.14–4.3.16)
function endRecords(directory: ZipDirectory): Buffer {
  const end = Buffer.alloc(56 + 20 + 22)
  end.writeUInt32LE(0x06064b50, 0)
  end.writeBigUInt64LE(44n, 4)
  end.writeBigUInt64LE(BigInt(directory.entries), 24)
  end.writeBigUInt64LE(BigInt(directory.entries), 32)
  end.writeBigUInt64LE(BigInt(directory.bytes), 40)
  end.writeUInt32LE(0x07064b50, 56)
  end.writeBigUInt64LE(BigInt(directory.bytes), 64)
  end.writeUInt32LE(1, 72)
  end.writeUInt32LE(0x06054b50, 76)
  end.fill(0xff, 80, 96)
  return end
}

async function readEntries(read: ReadAt, directory: ZipDirectory): Promise<LocatedEntry[]> {
  const bytes = Buffer.concat([read(directory.offset, directory.bytes), endRecords(directory)])
  const { files } = await openCustom(
    { size: async () => bytes.length, stream: (offset) => Readable.from(chunks(bytes, offset)) },
    { tailSize: 22 },
  )
  return files.map((file) => ({
    name: Buffer.from(file.pathBuffer), // '' for an empty name
    size: file.uncompressedSize ?? Infinity,
    packedSize: file.compressedSize ?? Infinity,
    crc32: file.crc32,
    method: file.compressionMethod,
    encrypted: (file.flags & 1) !== 0,
    hasDescriptor: (file.flags & 8) !== 0,
    unixMode: [3, 19].includes(file.versionMadeBy >> 8) ? file.externalFileAttributes >>> 16 : 0, // Unix, macOS
    offset: directory.base + (file.offsetToLocalFileHeader ?? Infinity),
  }))
}

function* chunks(bytes: Buffer, from: number): Generator<Buffer> {
  for (let at = from; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536)
}

// ours: entries that share bytes let a small file stand for endless work
function overlapProblems(entries: readonly LocatedEntry[]): Problem[] {
  const problems: Problem[] = []
  let end = -1
  let before: LocatedEntry | undefined
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (before && entry.offset >= 0 && entry.offset < end) {
      problems.push({
        name: shownName(entry),
        rule: `overlaps the entry ${quote(shownName(before))}`,
      })
    }
    end = Math.max(end, entry.offset + 30 + entry.packedSize)
    before = entry
  }
  return problems
}

const isFolder = (entry: ZipEntry): boolean => entry.name.at(-1) === 0x2f

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
  const goMod: Buffer[] = []
  let hasGoMod = false
  const hashed: HashedFile[] = []
  const emptyHash = createHash('sha256').digest('hex')
  for (const entry of entries) {
    const name = shownName(entry)
    if (name === goModName) hasGoMod = true
    try {
      if (isFolder(entry)) bodyOffset(read, entry)
      const sha256 = isFolder(entry)
        ? emptyHash
        : await verifyContent(read, fileSize, entry, name === goModName ? goMod : undefined)
      hashed.push({ name: entry.name, sha256 })
    } catch (error) {
      if (!(error instanceof BadContent)) throw error
      problems.push({ name, rule: error.message })
    }
  }
  if (problems.length > 0) return { ok: false, problems }
  const mod = hasGoMod ? Buffer.concat(goMod) : Buffer.from(syntheticMod(module))
  warnings.push(...goModWarnings(module, goModName, mod))
  return {
    ok: true,
    zip: { module, version, mod, zipHash: hash1(hashed), modHash: goModHash(mod), warnings },
  }
}

function goModWarnings(module: string, name: string, mod: Buffer): Problem[] {
  const declared = modulePathOf(mod.toString('utf8'))
  if (declared === module) return []
  return declared === undefined
    ? [{ name, rule: 'no module line that can be read: go refuses this version' }]
    : [
        {
          name,
          rule: `declares its path as ${quote(declared)}: go uses it through a replace directive only`,
        },
      ]
}

/**
 * Reads and checks the module zip at `path`: names, sizes, contents, hashes. Blocks its thread while it works;
 * holds at most the central directory, one piece of one entry, and the go.mod in memory.
 * Bad zips are a result, not an error; what is thrown is a failing disk or a file that went away.
 */
export async function readModuleZip(path: string): Promise<ZipReading> {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    // A buffer for each piece would be garbage faster than it is collected.
    const scratch = Buffer.allocUnsafe(Math.min(size, SCRATCH_BYTES))
    const read: ReadAt = (offset, length, passing = false) =>
      readFully(
        file,
        offset,
        passing && length <= scratch.length ? scratch.subarray(0, length) : Buffer.allocUnsafe(length),
      )
    return await readOpenZip(read, size)
  } catch (error) {
    if (error instanceof NotAZip) return { ok: false, problems: [{ rule: error.message }] }
    throw error
  } finally {
    closeSync(file)
  }
}

/** Any zip, not only a module's: its entries, and their contents as streams until it is closed. */
export async function openZip(path: string) {
  const file = openSync(path, 'r')
  const read: ReadAt = (offset, length) => readFully(file, offset, Buffer.allocUnsafe(length))
  try {
    return {
      entries: await readEntries(read, locateDirectory(read, fstatSync(file).size)),
      open: (entry: LocatedEntry): Readable => Readable.from(contents(read, bodyOffset(read, entry), entry)),
      close: (): void => closeSync(file),
    }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function readFully(file: number, offset: number, buffer: Buffer): Buffer {
  let done = 0
  while (done < buffer.length) {
    const read = readSync(file, buffer, done, buffer.length - done, offset + done)
    if (read === 0) break
    done += read
  }
  return buffer.subarray(0, done)
}
