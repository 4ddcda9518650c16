// The reading half of the store for a thread of its own: each call blocks the thread until the system has answered. For
// many small files that takes a third of the processor time, and none of the threads on which the service waits.

import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs'
import type { Sum } from '../digest.js'
import { errno } from '../errors.js'
import { Store } from './store.js'

const PIECE_BYTES = 256 * 1024
// Opening a pipe that somebody has put there would wait for its writer for ever.
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK

function unlessAbsentSync<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined
    throw error
  }
}

export class ThreadStore extends Store {
  /** Is called before each system call that may take long. */
  readonly #beforeRead: () => void
  readonly #buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)

  constructor(data: string, beforeRead: () => void) {
    super(data)
    this.#beforeRead = beforeRead
  }

  override async status(path: string): Promise<Stats | undefined> {
    return unlessAbsentSync(() => lstatSync(this.at(path)))
  }

  override async read(path: string): Promise<Buffer | undefined> {
    return unlessAbsentSync(() => {
      const pieces: Buffer[] = []
      this.#each(path, (piece) => void pieces.push(Buffer.from(piece)))
      return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)
    })
  }

  override async sum(path: string): Promise<Sum> {
    const hash = createHash('sha256')
    let size = 0
    this.#each(path, (piece) => {
      hash.update(piece)
      size += piece.length
    })
    return { sha256: hash.digest('hex'), size }
  }

  override async names(folder: string): Promise<string[]> {
    this.#beforeRead()
    return unlessAbsentSync(() => readdirSync(this.at(folder))) ?? []
  }

  override async linkText(path: string): Promise<string | undefined> {
    const status = await this.status(path)
    return status?.isSymbolicLink() ? unlessAbsentSync(() => readlinkSync(this.at(path))) : undefined
  }

  /** Reads a file in pieces, which are valid during the call. */
  #each(path: string, take: (piece: Buffer) => void): void {
    this.#beforeRead()
    const file = openSync(this.at(path), READ_ONLY)
    try {
      const { size } = fstatSync(file)
      for (let at = 0; ;) {
        const read = readSync(file, this.#buffer, 0, PIECE_BYTES, null)
        if (read === 0) return
        take(this.#buffer.subarray(0, read))
        at += read
        if (at === size) return
        this.#beforeRead()
      }
    } finally {
      closeSync(file)
    }
  }
}
