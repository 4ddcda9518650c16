// The folder that is carried: the files of each version as a proxy serves them, and a go.sum with the lines of all.
// A file gets its name when it is whole and on the disk, so what has its name need not be fetched again.

import { randomUUID } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { chmod, copyFile, mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errno, messageOf } from '../errors.js'
import { CARRIED_SUMS, GoSum, parseGoSum } from '../gomod/go-sum.js'
import { escapePath } from '../gomod/module-path.js'

/** Folders of runs under way: `.collecting-{pid}-{uuid}`. `plinth import` passes over them. */
const TEMP = /^\.collecting-(\d+)-/

const READABLE = 0o644

// ('github.com/BurntSushi/toml', 'v1.0.0', 'zip') → github.com/!burnt!sushi/toml/@v/v1.0.0.zip
const pathOf = (module: string, version: string, extension: string): string =>
  `${escapePath(module)}/@v/${escapePath(version)}.${extension}`

const EXTENSIONS = ['info', 'mod', 'zip'] as const

/** Where go has the files of a version, each an absolute path. */
export type FilesOfVersion = Record<(typeof EXTENSIONS)[number], string>

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errno(error) === 'EPERM'
  }
}

async function syncOf(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export class Carried {
  /** The folder, absolute. */
  readonly #folder: string
  /** Its part for files under way, absolute. Whoever opened the folder calls {@link close}. */
  readonly temp: string

  private constructor(folder: string) {
    this.#folder = folder
    this.temp = join(folder, `.collecting-${process.pid}-${randomUUID()}`)
  }

  /** Makes the folder when it is missing, and removes what runs left that were killed. */
  static async open(folder: string): Promise<Carried> {
    await mkdir(folder, { recursive: true })
    for (const name of await readdir(folder)) {
      const pid = Number(TEMP.exec(name)?.[1] ?? NaN)
      if (pid > 0 && !isAlive(pid)) rmSync(join(folder, name), { recursive: true, force: true })
    }
    const carried = new Carried(folder)
    await mkdir(carried.temp, { mode: 0o700 })
    return carried
  }

  /** Removes what is under way. */
  close(): void {
    rmSync(this.temp, { recursive: true, force: true, maxRetries: 3 })
  }

  /** Whether all files of a version are there. */
  has(module: string, version: string): boolean {
    return EXTENSIONS.every((extension) => existsSync(join(this.#folder, pathOf(module, version, extension))))
  }

  /** Copies the files of a version in, the zip last. */
  async add(module: string, version: string, files: FilesOfVersion): Promise<void> {
    for (const extension of EXTENSIONS) {
      const temp = join(this.temp, randomUUID())
      await copyFile(files[extension], temp)
      await this.#place(temp, pathOf(module, version, extension))
    }
  }

  /** The lines that were collected before. */
  async sums(): Promise<GoSum> {
    const sums = new GoSum()
    const path = join(this.#folder, CARRIED_SUMS)
    if (!existsSync(path)) return sums
    try {
      for (const line of parseGoSum(await readFile(path, 'utf8'))) sums.add(line)
    } catch (error) {
      throw new Error(`${path}: ${messageOf(error)}`, { cause: error })
    }
    return sums
  }

  /** Writes the lines of all versions. Run it before a version is added, so that none is there without its lines. */
  async writeSums(sums: GoSum): Promise<void> {
    const temp = join(this.temp, randomUUID())
    const handle = await open(temp, 'wx')
    try {
      await handle.writeFile(sums.text())
    } finally {
      await handle.close()
    }
    await this.#place(temp, CARRIED_SUMS)
  }

  async #place(temp: string, path: string): Promise<void> {
    const to = join(this.#folder, path)
    await chmod(temp, READABLE) // the user of the service inside is another one
    await syncOf(temp)
    await mkdir(dirname(to), { recursive: true })
    await rename(temp, to)
  }
}
