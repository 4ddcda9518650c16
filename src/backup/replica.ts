// Makes folders of a copy the same as those of a data folder, file by file. What is right already is left alone, so a
// folder can be looked at again after it was changed. With each uploaded file goes the record of its upload, and the
// copy is compared with the SHA-256 in it.

import type { Stats } from 'node:fs'
import { chmod, mkdir, readdir, readFile, readlink, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sumOf } from '../digest.js'
import { isUpload, sumFile } from '../layout.js'
import { parseOperation } from '../packages/operation.js'
import { readEach } from '../store/read-each.js'
import { signatureOf, unlessAbsent } from '../store/reading.js'
import { look, looksSame, whyUnreadable } from './compare.js'
import { copyWhole, linkTo, SYNCED_BYTES } from './copy-file.js'
import { MARGIN_MS, share, type Earlier } from './earlier.js'
import type { Room } from './room.js'

/**
 * `left`: an interrupted run made what is there; large uploaded files are taken from it, and checked. `own`: this run
 * did. `isStill`: nothing changes what is copied meanwhile, so a copy with another SHA-256 is damage. `isCounted`: the
 * files are counted; a second look at them does not.
 */
export type Pass = { there: 'left' | 'own'; isStill: boolean; isCounted?: true }

type Copying = {
  /** The data folder and the folder of the copy, absolute. */
  from: string
  to: string
  earlier: Earlier | undefined
  room: Room
  /** When this run began, in ms. */
  begunMs: number
  /** Whether copies of uploaded files are read again, and compared with the records. */
  check: boolean
  signal: AbortSignal
  /** Called after each file. */
  onFile: (path: string) => void
}

type Taken = 'kept' | 'left' | 'shared' | 'copied' | 'gone' | 'damaged'

export class Replica {
  readonly #copying: Copying
  /** path → signature of uploaded files that were new when they were copied */
  readonly #young = new Map<string, string>()
  /** Uploaded files whose copies were not as recorded, and were removed: they may have been changed meanwhile. */
  readonly suspects = new Set<string>()
  /** path → what is wrong with a file that could not be copied as it was uploaded */
  readonly damaged = new Map<string, string>()
  /** What is neither file, folder nor link: it is not copied. */
  readonly skipped = new Set<string>()
  /** How many files were taken, and how; `bytes` of those that were copied. */
  readonly counts = { files: 0, shared: 0, copied: 0, bytes: 0 }

  constructor(copying: Copying) {
    this.#copying = copying
  }

  /** Makes the folder the same, with everything below it. It goes when there is none. */
  async folder(path: string, pass: Pass): Promise<void> {
    const names = await unlessAbsent(readdir(this.#from(path)))
    const status = await look(this.#from(path))
    if (!names || !status?.isDirectory()) return this.remove(path)
    await this.#makeFolder(path)
    const present = new Set(names)
    for (const name of await readdir(this.#to(path)))
      if (!present.has(name)) await this.remove(`${path}/${name}`)
    const all = await readEach(names, async (name) => ({
      path: `${path}/${name}`,
      status: await look(this.#from(`${path}/${name}`)),
    }))
    const folders: string[] = []
    const files = new Map<string, { status: Stats; links: string[] }>()
    // An uploaded file is copied itself, and what links to it is a link.
    for (const one of all.sort((a, b) => Number(isUpload(b.path)) - Number(isUpload(a.path)))) {
      if (!one.status) await this.remove(one.path)
      else if (one.status.isDirectory()) folders.push(one.path)
      else if (one.status.isSymbolicLink()) await this.#symlink(one.path)
      else if (!one.status.isFile()) await this.#skip(one.path)
      else {
        const { dev, ino, nlink } = one.status
        const key = nlink > 1 ? `${dev} ${ino}` : one.path
        const first = files.get(key)
        if (first) first.links.push(one.path)
        else files.set(key, { status: one.status, links: [one.path] })
      }
    }
    await readEach([...files.values()], ({ status: one, links }) => this.#files(one, links, pass))
    for (const below of folders) await this.folder(below, pass)
    await chmod(this.#to(path), status.mode & 0o777)
  }

  /** Makes one file the same. It goes when there is none. */
  async file(path: string, pass: Pass): Promise<void> {
    const status = await look(this.#from(path))
    if (!status?.isFile()) return this.remove(path)
    await this.#makeParents(path)
    await this.#files(status, [path], pass)
  }

  /** Makes an empty folder, in whose place nothing else is left. */
  async emptyFolder(path: string): Promise<void> {
    await this.remove(path)
    await this.#makeFolder(path)
  }

  /** Removes what is there from the copy, with the records of uploaded files. */
  async remove(path: string): Promise<void> {
    const to = this.#to(path)
    this.damaged.delete(path)
    if (isUpload(path)) await rm(this.#to(sumFile(path)), { force: true })
    if ((await look(to))?.isDirectory())
      for (const name of await readdir(to)) await this.remove(`${path}/${name}`)
    await rm(to, { recursive: true, force: true })
  }

  #from(path: string): string {
    return join(this.#copying.from, path)
  }

  #to(path: string): string {
    return join(this.#copying.to, path)
  }

  async #makeFolder(path: string): Promise<void> {
    const there = await look(this.#to(path))
    if (there && !there.isDirectory()) await this.remove(path)
    await this.#makeParents(path)
    await mkdir(this.#to(path), { recursive: true, mode: 0o700 })
  }

  async #makeParents(path: string): Promise<void> {
    const parent = dirname(path)
    if ((await look(this.#to(parent)))?.isDirectory()) return
    await this.#makeParents(parent)
    await mkdir(this.#to(parent), { recursive: true, mode: 0o700 })
    await chmod(this.#to(parent), ((await look(this.#from(parent)))?.mode ?? 0o700) & 0o777)
  }

  async #symlink(path: string): Promise<void> {
    const text = await unlessAbsent(readlink(this.#from(path)))
    const there = await look(this.#to(path))
    if (there?.isSymbolicLink() && (await readlink(this.#to(path))) === text) return
    await this.remove(path)
    if (text !== undefined) await symlink(text, this.#to(path))
  }

  async #skip(path: string): Promise<void> {
    await this.remove(path)
    this.skipped.add(path)
  }

  /** Takes a file over under all its names in one folder. */
  async #files(status: Stats, [path = '', ...links]: string[], pass: Pass): Promise<void> {
    await this.#one(path, status, pass)
    for (const other of links) {
      const [mine, theirs] = [await look(this.#to(path)), await look(this.#to(other))]
      if (mine && mine.ino === theirs?.ino) continue
      await this.remove(other)
      if (!(await linkTo(this.#to(path), this.#to(other)))) await this.#one(other, status, pass)
      else if (isUpload(other)) await this.#record(other, 'kept', pass)
    }
  }

  async #one(path: string, status: Stats, pass: Pass): Promise<void> {
    const { signal, onFile } = this.#copying
    signal.throwIfAborted()
    const taken = await this.#take(path, status, pass)
    if (pass.isCounted) this.#count(taken, status)
    if (isUpload(path)) await this.#record(path, taken, pass)
    onFile(path)
  }

  #count(taken: Taken, { size }: Stats): void {
    this.counts.files++
    if (taken === 'shared') this.counts.shared++
    if (taken !== 'copied') return
    this.counts.copied++
    this.counts.bytes += size
  }

  async #take(path: string, status: Stats, pass: Pass): Promise<Taken> {
    const [from, to] = [this.#from(path), this.#to(path)]
    const { earlier } = this.#copying
    const there = await look(to)
    if (there && this.#isRight(path, status, there, pass)) return pass.there === 'own' ? 'kept' : 'left'
    if (there) await rm(to, { recursive: true, force: true })
    this.damaged.delete(path)
    if (earlier && (await share(earlier, { path, from, to, status }))) return 'shared'
    try {
      await this.#copying.room.mustHave(status.size)
      await copyWhole(from, to, status)
    } catch (error) {
      await rm(to, { force: true })
      if (!(await look(from))) return 'gone'
      const reason = await whyUnreadable(from, error)
      if (reason === undefined) throw error
      this.damaged.set(path, reason)
      return 'damaged'
    }
    if (isUpload(path) && this.#isYoung(status)) this.#young.set(path, signatureOf(status))
    return 'copied'
  }

  #isYoung({ ctimeMs }: Stats): boolean {
    return ctimeMs >= this.#copying.begunMs - MARGIN_MS
  }

  #isRight(path: string, status: Stats, there: Stats, pass: Pass): boolean {
    if (!looksSame(status, there)) return false
    if (pass.there === 'left') return isUpload(path) && status.size >= SYNCED_BYTES
    return !this.#isYoung(status) || this.#young.get(path) === signatureOf(status)
  }

  /** Takes over the record of an uploaded file, and compares a new copy with it. */
  async #record(path: string, taken: Taken, pass: Pass): Promise<void> {
    const record = sumFile(path)
    const status = await look(this.#from(record))
    if (!status?.isFile() || taken === 'gone') return rm(this.#to(record), { force: true })
    await this.#makeParents(record)
    await this.#take(record, status, pass)
    if (!this.#copying.check || (taken !== 'copied' && taken !== 'left')) return
    const text = await unlessAbsent(readFile(this.#to(record), 'utf8'))
    const wanted = parseOperation(text ?? '')?.sha256
    if (wanted === undefined || (await sumOf(this.#to(path))).sha256 === wanted) return
    if (pass.isStill && taken === 'copied')
      this.damaged.set(path, `its bytes have changed since the upload: it had sha256 ${wanted}`)
    else {
      this.suspects.add(path)
      await rm(this.#to(path), { force: true })
    }
  }
}
