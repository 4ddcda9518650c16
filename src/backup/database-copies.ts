// Copies what the service keeps of checksum databases: keys, records and heads. backup.ts says why this order is right.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartProblem } from '../errors.js'
import { folders, sumdbNamesPath, sumdbState } from '../layout.js'
import { unlessAbsent } from '../store/reading.js'
import { AppendFile } from '../store/append-file.js'
import { parseUnsigned, type SignedHead } from '../sumdb/heads-file.js'
import { statePaths } from '../sumdb/paths.js'
import { look } from './compare.js'
import type { Pass, Replica } from './replica.js'

/** More than two lines have. */
const TAIL_BYTES = 1024

/** The last lines of a file of heads, whatever their signatures; a part of a line is left out. */
async function lastLines(file: AppendFile, size: number): Promise<{ head: SignedHead; end: number }[]> {
  const from = Math.max(0, size - TAIL_BYTES)
  const text = (await file.read(from, size)).toString('latin1')
  const lines: { head: SignedHead; end: number }[] = []
  let start = from === 0 ? 0 : text.indexOf('\n') + 1
  for (let end = text.indexOf('\n', start); end !== -1; end = text.indexOf('\n', start)) {
    const head = parseUnsigned(text.slice(start, end))
    start = end + 1
    if (head) lines.push({ head, end: from + start })
  }
  return lines
}

/** So often it begins anew when a key is changed meanwhile. */
const ATTEMPTS = 20
const PASS: Pass = { there: 'own', isStill: false }

export class DatabaseCopies {
  /** The data folder, absolute. */
  readonly #data: string
  /** The folder of the copy, absolute. */
  readonly #folder: string
  readonly #replica: Replica

  constructor(data: string, folder: string, replica: Replica) {
    this.#data = data
    this.#folder = folder
    this.#replica = replica
  }

  /** Run it after the tree was copied, while no owner can be removed. */
  async copy(): Promise<void> {
    const owners = await this.#names(folders.sumdb)
    for (const owner of (await unlessAbsent(readdir(join(this.#folder, folders.sumdb)))) ?? [])
      if (!owners.includes(owner)) await this.#replica.remove(sumdbState(owner))
    for (const owner of owners) await this.#copyStable(owner)
    await this.#replica.folder(folders.sumdbRemoved, PASS)
    await this.#replica.file(sumdbNamesPath, PASS) // a name is noted before its key is there
  }

  /** Copies a database, all of it from before a rotation or all of it from after one. */
  async #copyStable(owner: string): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const before = await this.#stateOf(owner)
      await this.#copyOne(owner)
      if ((await this.#stateOf(owner)) === before) return
    }
    throw new StartProblem(`the checksum database of ${owner} is rotated all the time: run it again later`)
  }

  async #copyOne(owner: string): Promise<void> {
    const { folder, heads, records } = statePaths(owner)
    const names = await this.#names(folder)
    for (const name of (await unlessAbsent(readdir(join(this.#folder, folder)))) ?? [])
      if (!names.includes(name)) await this.#replica.remove(`${folder}/${name}`)
    const others = names
      .map((name) => `${folder}/${name}`)
      .filter((path) => path !== heads && path !== records)
    for (const path of [...others, heads, records])
      if ((await look(join(this.#data, path)))?.isDirectory()) await this.#replica.folder(path, PASS)
      else await this.#replica.file(path, PASS)
    await this.#cutOff(owner)
  }

  /**
   * Cuts off what was being appended: a head that is not whole or whose records are not there, and records behind the
   * last head.
   */
  async #cutOff(owner: string): Promise<void> {
    const paths = statePaths(owner)
    const [heads, records] = [paths.heads, paths.records].map(
      (path) => new AppendFile(join(this.#folder, path)),
    )
    const bytes = await unlessAbsent(records?.size() ?? Promise.resolve(0))
    const size = await unlessAbsent(heads?.size() ?? Promise.resolve(0))
    if (!heads || !records || bytes === undefined || size === undefined) return
    const lines = await lastLines(heads, size)
    const last = lines.findLast(({ head }) => head.bytes <= bytes)
    if (!last || lines.indexOf(last) < lines.length - 2) return // one commit is under way: this is damage
    if (last.end < size) await heads.truncate(last.end)
    if (last.head.bytes < bytes) await records.truncate(last.head.bytes)
  }

  /** What a rotation changes: the key that is in force, and the names beside it. */
  async #stateOf(owner: string): Promise<string> {
    const { folder, key, next, status } = statePaths(owner)
    const texts = await Promise.all(
      [key, status].map((path) => unlessAbsent(readFile(join(this.#data, path), 'utf8'))),
    )
    return JSON.stringify([texts, await this.#names(folder), await this.#names(next.folder)])
  }

  async #names(folder: string): Promise<string[]> {
    return ((await unlessAbsent(readdir(join(this.#data, folder)))) ?? []).sort()
  }
}
