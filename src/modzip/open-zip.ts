// Opens any zip, not only that of a module, for its contents. The only file that touches unzipper.
//
// unzipper reads the contents, and nothing else: it is handed an archive of one entry, whose directory we write from
// what we read. So nothing is read twice in two ways.

import { closeSync, fstatSync, openSync } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { Open } from 'unzipper'
import { readerOf, type ReadAt } from './read-at.js'
import { bodyOffset } from './zip-content.js'
import { ZipDirectory } from './zip-directory.js'
import type { LocatedEntry } from './zip-header.js'

// The type definitions leave the options out.
const openCustom = Open.custom as unknown as (
  source: { size: () => Promise<number>; stream: (offset: number, length?: number) => Readable },
  options: { tailSize: number },
) => Promise<{ files: { stream: () => Readable }[] }>

const PIECE_BYTES = 64 * 1024
const LOCAL_BYTES = 30
const HEADER_BYTES = 46
const END_BYTES = 22

/** Yields a local header and the packed content behind it. */
function* startOf(read: ReadAt, local: Buffer, entry: LocatedEntry): Generator<Buffer> {
  yield local
  const at = bodyOffset(read, entry)
  for (let done = 0; done < entry.packedSize; done += PIECE_BYTES)
    yield read(at + done, Math.min(PIECE_BYTES, entry.packedSize - done))
}

/**
 * The headers of an archive that holds one entry without a name: what is before its content, and what is behind it
 * (APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16). The entry has less than 4 GiB.
 */
function archiveOf({ method, crc32, packedSize, size }: LocatedEntry): { local: Buffer; directory: Buffer } {
  const local = Buffer.alloc(LOCAL_BYTES)
  local.writeUInt32LE(0x04034b50, 0)
  const directory = Buffer.alloc(HEADER_BYTES + END_BYTES)
  directory.writeUInt32LE(0x02014b50, 0)
  for (const [header, at] of [
    [local, 8],
    [directory, 10],
  ] as const) {
    header.writeUInt16LE(method, at)
    header.writeUInt32LE(crc32, at + 6)
    header.writeUInt32LE(packedSize, at + 10)
    header.writeUInt32LE(size, at + 14)
  }
  directory.writeUInt32LE(0x06054b50, HEADER_BYTES)
  directory.writeUInt16LE(1, HEADER_BYTES + 8)
  directory.writeUInt16LE(1, HEADER_BYTES + 10)
  directory.writeUInt32LE(HEADER_BYTES, HEADER_BYTES + 12)
  directory.writeUInt32LE(LOCAL_BYTES + packedSize, HEADER_BYTES + 16)
  return { local, directory }
}

/** An open zip: its entries, and their contents as streams until it is closed. */
export class OpenZip {
  /** In the order of the central directory. */
  readonly entries: readonly LocatedEntry[]
  /** The file descriptor. */
  readonly #file: number

  private constructor(file: number, entries: readonly LocatedEntry[]) {
    this.#file = file
    this.entries = entries
  }

  /** Opens the zip at `path`. Throws a NotAZip and what the file system throws. */
  static open(path: string): OpenZip {
    const file = openSync(path, 'r')
    try {
      return new OpenZip(file, [...ZipDirectory.read(readerOf(file), fstatSync(file).size)])
    } catch (error) {
      closeSync(file)
      throw error
    }
  }

  /** The content of an entry. Its length is checked by whoever writes it: unzipper checks no size and no CRC. */
  stream(entry: LocatedEntry): Readable {
    const content = new PassThrough()
    this.#open(entry).then(
      (opened) => opened.on('error', (error) => content.destroy(error)).pipe(content),
      (error: unknown) => content.destroy(error instanceof Error ? error : new Error(String(error))),
    )
    return content
  }

  async #open(entry: LocatedEntry): Promise<Readable> {
    if (entry.packedSize === 0) return Readable.from([]) // unzipper would look for the end of the content
    const read = readerOf(this.#file)
    const { local, directory } = archiveOf(entry)
    const directoryAt = local.length + entry.packedSize
    const source = {
      size: async () => directoryAt + directory.length,
      stream: (offset: number) =>
        Readable.from(
          offset === 0
            ? startOf(read, local, entry)
            : [directory.subarray(Math.max(0, offset - directoryAt))],
        ),
    }
    const { files } = await openCustom(source, { tailSize: END_BYTES })
    const [file] = files
    if (!file) throw new Error('unzipper found no entry')
    return file.stream()
  }

  close(): void {
    closeSync(this.#file)
  }
}
