// A checksum database in memory, made as the service makes it, for tests of those who read one.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatabaseFiles } from '../../src/sumdb/database-client.js'
import { Growth } from '../../src/sumdb/growth.js'
import { newSigner, openHead, signHead, verifierText, type Head, type Signer } from '../../src/sumdb/note.js'
import { lookupName } from '../../src/sumdb/paths.js'
import { lookupText, recordText, type GoSums } from '../../src/sumdb/record.js'

export const hashOf = (byte: number): string => `h1:${Buffer.alloc(32, byte).toString('base64')}`

/** The version of this number, and its sums. */
export const nthVersion = (id: number): { module: string; version: string } => ({
  module: `corp.example/m${Math.floor(id / 50)}`,
  version: `v1.${id % 50}.0`,
})
export const nthSums = (id: number): GoSums => ({ zip: hashOf(id % 251), mod: hashOf((id + 7) % 251) })

/** The two lines of go.sum of the version of this number. */
export const nthLines = (id: number): string => recordText(nthVersion(id), nthSums(id))

/** `files` are what is served, by their paths: a test changes them as it likes. */
export class ServedDatabase implements DatabaseFiles {
  readonly files = new Map<string, Buffer>()
  /** Paths that were read, in their order. */
  readonly seen: string[] = []
  readonly signer: Signer
  /** The text of each head, at its size. */
  readonly heads: string[] = []
  readonly #growth = new Growth()

  constructor(signer = newSigner('sum.corp.example/team')) {
    this.signer = signer
    this.files.set('supported', Buffer.alloc(0))
  }

  /** The database of `size` versions, in batches. */
  static of(size: number, { batch = 1, signer }: { batch?: number; signer?: Signer } = {}): ServedDatabase {
    const database = new ServedDatabase(signer)
    for (let id = 0; id < size; id += batch)
      database.commit(
        Array.from({ length: Math.min(batch, size - id) }, (_, at) => [id + at, nthLines(id + at)]),
      )
    return database
  }

  /** Adds records, each with the number of its version. They have one head. */
  commit(records: [id: number, text: string][]): void {
    const before = this.#growth.size
    for (const [, text] of records)
      for (const { path, content } of this.#growth.append(text)) this.#full(path, content)
    for (const { path, content } of this.#growth.partials(before)) this.files.set(path, content)
    const size = this.#growth.size
    const head = signHead(this.signer, { size, root: this.#growth.root() })
    this.heads[size] = head
    for (const [at, [id, text]] of records.entries())
      this.files.set(`lookup/${lookupName(nthVersion(id))}`, Buffer.from(lookupText(before + at, text, head)))
    this.files.set('latest', Buffer.from(head))
  }

  #full(path: string, content: Buffer): void {
    this.files.set(path, content)
    for (const partial of this.files.keys()) if (partial.startsWith(`${path}.p/`)) this.files.delete(partial)
  }

  /** GOSUMDB's first word. */
  get key(): string {
    return verifierText(this.signer)
  }

  /** The head at a size. */
  headAt(size: number): Head {
    const head = openHead(this.heads[size] ?? '', this.signer)
    if (!head) throw new Error(`there is no head of size ${size}`)
    return head
  }

  edit(path: string, change: (text: string) => string): void {
    this.files.set(path, Buffer.from(change(String(this.files.get(path)))))
  }

  async read(path: string): Promise<Buffer | undefined> {
    this.seen.push(path)
    return this.files.get(path)
  }

  /** Writes all of it below a folder. */
  writeTo(folder: string): void {
    for (const [path, content] of this.files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
  }
}
