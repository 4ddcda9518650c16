// What a mirror remembers between two passes, and its lists of files during one: a folder for each remote, below
// state/mirror. All of it can be lost: the next pass is a full one then.

import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StartProblem } from '../errors.js'
import { folders } from '../layout.js'
import { parseJson } from '../store/parse-json.js'
import { flock } from '../store/flock.js'
import { unlessAbsent } from '../store/reading.js'

/**
 * How far an owner is mirrored. `offset` is a byte of the owner's index.ndjson, and `tail` the hash of what stands
 * before it. `generic` has a mark of each plain package's index, `databases` one of each checksum database's newest
 * head. `again` are packages that changed while they were looked at.
 */
export type OwnerState = {
  offset: number
  tail: string
  generic: Record<string, string>
  databases: Record<string, string>
  again: string[]
}

/**
 * `fullAt`: when the last full pass that ended began, in ms. `owners` are those of whom the bucket may have something;
 * `null`: they are compared as a whole.
 */
export type MirrorState = { format: 1; fullAt: number; owners: Record<string, OwnerState | null> }

const isState = (value: unknown): value is MirrorState => {
  const { format, fullAt, owners } = (value ?? {}) as Partial<MirrorState>
  return format === 1 && typeof fullAt === 'number' && typeof owners === 'object' && owners !== null
}

export class WorkFolder {
  readonly #folder: string
  /** Holds the lock as long as it is open. */
  readonly #fd: number
  /** How many files were made in this pass. */
  #made = 0

  private constructor(folder: string, fd: number) {
    this.#folder = folder
    this.#fd = fd
  }

  /**
   * Opens the folder of a remote in a data folder (absolute) for this process alone. Throws a {@link StartProblem} when
   * another process has it.
   */
  static async open(data: string, remote: string): Promise<WorkFolder> {
    const name = createHash('sha256').update(remote).digest('hex').slice(0, 16)
    const folder = join(data, folders.mirror, name)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const fd = openSync(join(folder, 'lock'), 'a', 0o600)
    try {
      if ((await flock(fd, 'try')) === 'held')
        throw new StartProblem('another mirror-to of this remote is running on this data folder')
      const work = new WorkFolder(folder, fd)
      await work.#clear()
      return work
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Removes what this pass has made, and lets the next one begin. */
  async close(): Promise<void> {
    await this.#clear().finally(() => closeSync(this.#fd))
  }

  /** The state that the last pass left; `undefined` when there is none that can be read. */
  async state(): Promise<MirrorState | undefined> {
    const text = await unlessAbsent(readFile(this.#state, 'utf8'))
    const value = text === undefined ? undefined : parseJson(text)
    return isState(value) ? value : undefined
  }

  async keep(state: MirrorState): Promise<void> {
    const next = `${this.#state}.new`
    await writeFile(next, JSON.stringify(state), { mode: 0o600 })
    await rename(next, this.#state)
  }

  /** A new path for a file or a folder of this pass. */
  temp(): string {
    return join(this.#folder, 'pass', String(++this.#made))
  }

  /** Writes a list of files, one in a line; returns its path. */
  async list(paths: readonly string[]): Promise<string> {
    const path = this.temp()
    await writeFile(path, paths.map((line) => `${line}\n`).join(''), { mode: 0o600 })
    return path
  }

  /** Writes a file below a folder of this pass. */
  async put(folder: string, path: string, content: Uint8Array): Promise<void> {
    const at = join(folder, path)
    await mkdir(dirname(at), { recursive: true })
    await writeFile(at, content)
  }

  async drop(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true })
  }

  get #state(): string {
    return join(this.#folder, 'state.json')
  }

  async #clear(): Promise<void> {
    await this.drop(join(this.#folder, 'pass'))
    await mkdir(join(this.#folder, 'pass'), { mode: 0o700 })
  }
}
