// Uploads and removes an owner's objects, some at a time. A file that changes meanwhile takes the names of its package
// out of this pass: then the bucket goes on naming what it has.

import { join } from 'node:path'
import { folders } from '../layout.js'
import { readEach } from '../store/read-each.js'
import { waitForAll } from '../store/wait-for-all.js'
import type { HeaderKind } from './object-kind.js'
import { md5Of, type LocalFile, type PublicFolder } from './public-folder.js'
import type { Rclone } from './rclone.js'
import type { WorkFolder } from './work-folder.js'

/** rclone has a list of files in memory. */
export const AT_ONCE = 10_000
/** How often a file is uploaded that is replaced each time meanwhile. */
const UPLOADS = 3

/** What a whole pass works with. */
export type MirrorTools = {
  /** The data folder, absolute. */
  data: string
  rclone: Rclone
  work: WorkFolder
  signal: AbortSignal
  /** Nothing is changed, neither in the bucket nor in the state: `onChange` tells what would be. */
  dryRun: boolean
  /** Called for each object, before it is uploaded or removed. */
  onChange: (change: 'upload' | 'remove', key: string) => void
}

export class Transfer {
  readonly #tools: MirrorTools
  readonly #owner: string
  readonly #folder: PublicFolder
  /** Packages that changed while they were uploaded, as {@link ObjectKind} has them. */
  readonly moved = new Set<string>()

  constructor(tools: MirrorTools, owner: string, folder: PublicFolder) {
    this.#tools = tools
    this.#owner = owner
    this.#folder = folder
  }

  /** Uploads files of one step, at most {@link AT_ONCE}. Those of packages that have moved are left out. */
  async upload(files: readonly LocalFile[]): Promise<void> {
    const naming = files.filter(({ kind }) => kind.isNaming)
    const plain = this.#still(files.filter(({ kind }) => !kind.isNaming))
    await this.#uploadPlain(plain)
    await this.#uploadNaming(naming)
  }

  /**
   * The object of a file that was replaced meanwhile has the bytes of before, and the time of now: no later pass would
   * find it. So it is uploaded again, and removed when it does not come to rest.
   */
  async #uploadPlain(files: readonly LocalFile[]): Promise<void> {
    const { data } = this.#tools
    let left = files
    for (let attempt = 1; left.length > 0 && attempt <= UPLOADS; attempt++) {
      await this.#copy(join(data, folders.public), left)
      const changed = await readEach(left, async (file) => ((await this.#isSame(file)) ? undefined : file))
      left = changed.filter((file) => file !== undefined)
      left.forEach(({ kind }) => this.moved.add(kind.of))
      left = (await readEach(left, (file) => this.#asItIs(file))).filter((file) => file !== undefined)
    }
    await this.#removeKeys(left.map(({ path }) => this.#key(path)))
  }

  /** Naming files are uploaded with the content that was seen, which may not be what they have by now. */
  async #uploadNaming(files: readonly LocalFile[]): Promise<void> {
    const { work } = this.#tools
    const folder = work.temp()
    const staged = await readEach(this.#still(files), async (file) => {
      const content = file.content ?? (await this.#folder.look(file.path))?.content
      if (content && md5Of(content) === file.md5) {
        await work.put(folder, this.#key(file.path), content)
        return file
      }
      this.moved.add(file.kind.of)
      return undefined
    })
    // An owner that was made private meanwhile: what was copied above is not to be seen by anybody new.
    const isOpen = (await this.#folder.status('')) !== undefined
    if (isOpen) await this.#copy(folder, this.#still(staged.filter((file) => file !== undefined)))
    await work.drop(folder)
  }

  /** Removes objects, at most {@link AT_ONCE}, but for those whose file is there by now. */
  async remove(paths: readonly { path: string; of: string }[]): Promise<void> {
    const absent = await readEach(
      paths.filter(({ of }) => !this.moved.has(of)),
      async ({ path }) => ((await this.#folder.status(path)) === undefined ? [this.#key(path)] : []),
    )
    await this.#removeKeys(absent.flat())
  }

  async #removeKeys(keys: readonly string[]): Promise<void> {
    const { onChange, dryRun, rclone, work } = this.#tools
    keys.forEach((key) => onChange('remove', key))
    if (dryRun || keys.length === 0) return
    const list = await work.list(keys)
    await rclone.remove(list)
    await work.drop(list)
  }

  async #copy(from: string, files: readonly LocalFile[]): Promise<void> {
    const { onChange, dryRun, rclone, work } = this.#tools
    const byHeaders = new Map<HeaderKind, string[]>()
    for (const { path, kind } of files) {
      onChange('upload', this.#key(path))
      const keys = byHeaders.get(kind.headers)
      if (keys) keys.push(this.#key(path))
      else byHeaders.set(kind.headers, [this.#key(path)])
    }
    if (dryRun) return
    // Files of one step have no order among them, and rclone gives all files of a list the same headers.
    await waitForAll(
      [...byHeaders].map(async ([headers, keys]) => {
        const list = await work.list(keys)
        await rclone.upload(from, list, headers)
        await work.drop(list)
      }),
    )
  }

  /** The file with the size and the time that it has now; `undefined` when it is gone. */
  async #asItIs(file: LocalFile): Promise<LocalFile | undefined> {
    const status = await this.#folder.status(file.path)
    return status && { ...file, size: status.size, time: status.mtimeMs }
  }

  async #isSame({ path, size, time }: LocalFile): Promise<boolean> {
    const status = await this.#folder.status(path)
    return status?.size === size && status.mtimeMs === time
  }

  #still(files: readonly LocalFile[]): LocalFile[] {
    return files.filter(({ kind }) => !this.moved.has(kind.of))
  }

  // 'go/example.com/m/@v/list' → team/go/example.com/m/@v/list
  #key(path: string): string {
    return `${this.#owner}/${path}`
  }
}
