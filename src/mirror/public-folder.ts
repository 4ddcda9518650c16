// Reads what an owner shows to everybody: the owner's folder, through the link in access/public. When the owner becomes
// private the link goes, and nothing more is found.

import { createHash } from 'node:crypto'
import type { Dirent, Stats } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readEach } from '../store/read-each.js'
import { unlessAbsent } from '../store/reading.js'
import { kindOf, type ObjectKind } from './object-kind.js'

/**
 * A file that belongs in the bucket. `time` is that of its last change, in ms. Naming files have their content and its
 * MD5.
 */
export type LocalFile = {
  path: string
  size: number
  time: number
  md5: string
  kind: ObjectKind
  content?: Buffer
}

/** A folder that changes all the time is looked at so often. */
const LOOKS = 20

const isModuleFolder = (names: readonly Dirent[]): boolean => names.some(({ name }) => name === '@v')

export const md5Of = (content: Uint8Array): string => createHash('md5').update(content).digest('hex')

export class PublicFolder {
  /** The link, absolute. */
  readonly #link: string
  readonly #signal: AbortSignal

  constructor(link: string, signal: AbortSignal) {
    this.#link = link
    this.#signal = signal
  }

  at(path: string): string {
    return path === '' ? `${this.#link}/.` : join(this.#link, path)
  }

  /** stat(2), behind links; `undefined` for what is not there, or not public any more. */
  status(path: string): Promise<Stats | undefined> {
    return unlessAbsent(stat(this.at(path)))
  }

  async names(path: string): Promise<Dirent[]> {
    this.#signal.throwIfAborted()
    const names = (await unlessAbsent(readdir(this.at(path), { withFileTypes: true }))) ?? []
    return names.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Yields the files below a folder. What names others is read before the others are looked for: so each version that
   * a list names has been found when the list is, or the list has changed since. Names of `moved` packages changed at
   * each look.
   */
  async *files(folder: string, moved: Set<string>): AsyncGenerator<LocalFile> {
    // The views name what is in the two registries.
    if (folder === '') {
      for (const part of ['-', 'go', 'generic']) yield* this.files(part, moved)
      return
    }
    const names = await this.names(folder)
    if (isModuleFolder(names)) yield* await this.module(folder, moved)
    else yield* await this.#filesOf(folder, names)
    for (const entry of names)
      if (entry.isDirectory() && entry.name !== '@v') yield* this.files(`${folder}/${entry.name}`, moved)
  }

  /** A module's own files, read so that the names in `@latest` and `list` are those of the files. */
  async module(folder: string, moved: Set<string>): Promise<LocalFile[]> {
    const naming = [`${folder}/@latest`, `${folder}/@v/list`]
    for (let look = 1; ; look++) {
      const before = await this.#marks(naming)
      const files = await Promise.all(
        [folder, `${folder}/@v`].map(async (each) => this.#filesOf(each, await this.names(each))),
      )
      if (before === (await this.#marks(naming))) return files.flat()
      if (look < LOOKS) continue
      moved.add(folder)
      return files.flat()
    }
  }

  async #marks(paths: string[]): Promise<string> {
    const contents = await Promise.all(paths.map((path) => this.#content(path)))
    return contents.map((content) => (content ? md5Of(content) : '')).join()
  }

  /** `names` are those in the folder. */
  async #filesOf(folder: string, names: readonly Dirent[]): Promise<LocalFile[]> {
    const look = async (from: readonly Dirent[], naming: boolean): Promise<LocalFile[]> => {
      const paths = from.filter((entry) => !entry.isDirectory()).map(({ name }) => `${folder}/${name}`)
      const wanted = paths.filter((path) => kindOf(path)?.isNaming === naming)
      return (await readEach(wanted, (path) => this.look(path))).filter((file) => file !== undefined)
    }
    const naming = await look(names, true)
    return [...naming, ...(await look(naming.length > 0 ? await this.names(folder) : names, false))]
  }

  /** What a file is at the moment; `undefined` when it is not there, or does not belong in the bucket. */
  async look(path: string): Promise<LocalFile | undefined> {
    const kind = kindOf(path)
    const content = kind?.isNaming ? await this.#content(path) : undefined
    if (!kind || (kind.isNaming && !content)) return undefined
    const status = await this.status(path)
    if (!status?.isFile()) return undefined
    const time = status.mtimeMs
    return content
      ? { path, size: content.length, time, md5: md5Of(content), kind, content }
      : { path, size: status.size, time, md5: '', kind }
  }

  #content(path: string): Promise<Buffer | undefined> {
    return unlessAbsent(readFile(this.at(path)))
  }
}
