// A checksum database on a store alone, with records of versions that nobody published, and an audit of its files.
//
// The audit computes hashes and reads texts by itself: what it is to find is in the code that it would use otherwise.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { escapePath } from '../../src/gomod/module-path.js'
import { sumdbFolder, sumdbState } from '../../src/layout.js'
import { Store } from '../../src/store/store.js'
import { ChecksumDatabases } from '../../src/sumdb/databases.js'
import { openHead, parseSigner, type Verifier } from '../../src/sumdb/note.js'
import { databasePaths } from '../../src/sumdb/paths.js'
import { createDatabase, writeStatus } from '../../src/sumdb/set-up.js'

export const DATABASE = 'sum.example.com/test'
const WIDTH = 256

/** The n-th of many versions. */
export const nthVersion = (n: number) => ({ module: `example.com/M${n % 3}`, version: `v1.${n}.0` })

/** Sums that no file has: `what` is what they are said to be of. */
export function someSums(what: string) {
  const of = (part: string): string => `h1:${createHash('sha256').update(`${what} ${part}`).digest('base64')}`
  return { zip: of('zip'), mod: of('mod') }
}

/** Makes an empty database of `admin` below `data`, which is shown. */
export async function makeDatabase(data: string): Promise<void> {
  const store = new Store(data)
  await store.prepare()
  await createDatabase(store, 'admin', DATABASE)
  await store.writeMaking(databasePaths('admin', DATABASE).supported, '')
  await writeStatus(store, 'admin', 'enabled')
}

/** Opens what is below `data`, as a start of the service does. `wrap` may put something before the disk. */
export async function openDatabases(data: string, wrap: (store: Store) => Store = (store) => store) {
  const said: string[] = []
  const store = wrap(new Store(data))
  const databases = new ChecksumDatabases(
    store,
    (level, event, fields) => void said.push(`${level} ${event} ${JSON.stringify(fields)}`),
  )
  await databases.recover()
  const record = async (n: number, what = String(n)): Promise<void> => {
    await databases.of('admin')?.append(nthVersion(n), someSums(what))
    await databases.logOf('admin')?.alone(async () => {}) // what is pruned is pruned after the answer
  }
  return { databases, store, said, record, log: () => databases.logOf('admin') }
}

const sha256 = (...parts: (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The hashes of a log, as RFC 6962 defines them. */
export class Hashes {
  /** level → index → the hash of the complete tree of 2^level records there. */
  readonly #levels: Buffer[][] = [[]]

  constructor(records: readonly string[]) {
    this.#levels[0] = records.map((record) => sha256(Buffer.of(0), record))
  }

  at(level: number, index: number): Buffer {
    const known = (this.#levels[level] ??= [])
    return (known[index] ??= sha256(
      Buffer.of(1),
      this.at(level - 1, 2 * index),
      this.at(level - 1, 2 * index + 1),
    ))
  }

  root(end: number, start = 0): Buffer {
    const level = Math.floor(Math.log2(end - start))
    const width = 2 ** level
    if (width === end - start) return this.at(level, start / width)
    return sha256(Buffer.of(1), this.root(start + width, start), this.root(end, start + width))
  }
}

const indexPath = (index: number): string =>
  index < 1000
    ? String(index).padStart(3, '0')
    : `x${indexPath(Math.floor(index / 1000))}/${String(index % 1000).padStart(3, '0')}`

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    : []

type ShownHead = { size: number; root: string }

const signed = new Map<string, ShownHead>() // to check a signature takes longer than everything else

/** A head that is signed; `undefined` for any other text. */
function headIn(text: string, verifier: Verifier): ShownHead | undefined {
  const key = `${verifier.id} ${text}`
  const known = signed.get(key)
  if (known) return known
  const head = openHead(text, verifier)
  if (!head) return undefined
  const shown = { size: head.size, root: head.root.toString('base64') }
  signed.set(key, shown)
  return shown
}

type Folders = { tree: string; state: string }

const foldersOf = (data: string, owner: string, name: string): Folders => ({
  tree: join(data, sumdbFolder(owner, name)),
  state: join(data, sumdbState(owner)),
})

/** Every head that a reader finds in the tree: size → root. */
export function shownHeads(data: string, owner = 'admin'): Map<number, string> {
  const signer = parseSigner(readFileSync(join(data, sumdbState(owner), 'key'), 'utf8'))
  if (!signer) throw new Error('the key is damaged')
  const { tree } = foldersOf(data, owner, signer.name)
  const shown = new Map<number, string>()
  for (const name of filesBelow(tree)) {
    if (name !== 'latest' && !name.startsWith('lookup/')) continue
    const text = readFileSync(join(tree, name), 'utf8')
    const head = headIn(text.slice(text.indexOf('go.sum database tree')), signer)
    if (!head) continue // a test damaged it
    const { size, root } = head
    if ((shown.get(size) ?? root) !== root) throw new Error(`two heads of size ${size} are shown`)
    shown.set(size, root)
  }
  return shown
}

/**
 * Everything that is wrong with a database while nothing is recorded, in words. `seen`: heads that readers saw before,
 * and those of now are added.
 */
export function databaseProblems(data: string, owner = 'admin', seen = new Map<number, string>()): string[] {
  const problems: string[] = []
  const signer = parseSigner(readFileSync(join(data, sumdbState(owner), 'key'), 'utf8'))
  if (!signer) return ['the key is damaged']
  const { tree, state } = foldersOf(data, owner, signer.name)
  const texts = readFileSync(join(state, 'records'), 'utf8').split('\n\n')
  if (texts.pop() !== '') problems.push('records does not end with a record')
  const records = texts.map((text) => `${text}\n`)
  const hashes = new Hashes(records)
  const lines = readFileSync(join(state, 'heads'), 'utf8').split('\n')
  if (lines.pop() !== '') problems.push('heads does not end with a line')
  const heads = new Map<number, string>()
  let last = 0
  const ends = [0]
  for (const record of records) ends.push((ends.at(-1) ?? 0) + record.length + 1)
  for (const line of lines) {
    const [size = '', bytes = '', root = ''] = line.split(' ')
    if (Number(size) > records.length) {
      problems.push(`heads: ${size} is of more than ${records.length} records`)
      continue
    }
    const wanted = hashes.root(Number(size)).toString('base64')
    if (root !== wanted) problems.push(`heads: ${size} has the root ${root} instead of ${wanted}`)
    if (Number(size) <= last) problems.push(`heads: ${size} comes after ${last}`)
    const end = ends[Number(size)]
    if (Number(bytes) !== end) problems.push(`heads: ${size} has ${bytes} bytes instead of ${end}`)
    heads.set(Number(size), root)
    last = Number(size)
  }
  if (last !== records.length) problems.push(`the last head is of ${last} records, of ${records.length}`)
  for (const [size, root] of seen)
    if (size > records.length || hashes.root(size).toString('base64') !== root)
      problems.push(`the head of size ${size} that was seen is contradicted`)
  return [...problems, ...treeProblems({ tree, verifier: signer, records, hashes, heads, seen })]
}

function treeProblems({
  tree,
  verifier,
  records,
  hashes,
  heads,
  seen,
}: {
  tree: string
  verifier: Verifier
  records: string[]
  hashes: Hashes
  heads: Map<number, string>
  seen: Map<number, string>
}): string[] {
  const problems: string[] = []
  const size = records.length
  const found = new Set(filesBelow(tree))
  const take = (name: string): Buffer | undefined =>
    found.delete(name) ? readFileSync(join(tree, name)) : undefined
  const expect = (name: string, content: Buffer): void => {
    const is = take(name)
    if (!is?.equals(content)) problems.push(`${name}: ${is ? 'is wrong' : 'is missing'}`)
  }
  const look = (name: string, text: string): number => {
    const head = headIn(text, verifier)
    if (!head) return problems.push(`${name}: its head is none`)
    if (heads.get(head.size) !== head.root) problems.push(`${name}: its head ${head.size} is not in heads`)
    seen.set(head.size, head.root)
    return head.size
  }
  found.delete('supported')
  const latest = take('latest')?.toString()
  if (latest === undefined ? size > 0 : look('latest', latest) !== size) problems.push('latest is old')
  const names = new Set<string>()
  records.forEach((record, id) => {
    const [module = '', version = ''] = record.split(' ')
    const name = `lookup/${escapePath(module)}@${escapePath(version)}`
    if (names.has(name)) problems.push(`${name}: recorded twice`)
    names.add(name)
    const text = take(name)?.toString()
    const start = `${id}\n${record}\n`
    if (!text?.startsWith(start)) problems.push(`${name}: ${text === undefined ? 'is missing' : 'is wrong'}`)
    else if (look(name, text.slice(start.length)) <= id) problems.push(`${name}: its head is without it`)
  })
  const widths = (level: number): Set<string> =>
    new Set(
      [...heads.keys()]
        .map((n) => Math.floor(n / WIDTH ** level))
        .filter((n) => n % WIDTH > 0 && Math.floor(n / WIDTH) === Math.floor(size / WIDTH ** (level + 1)))
        .map((n) => `${Math.floor(n / WIDTH)} ${n % WIDTH}`),
    )
  const hashesAt = (level: number, index: number, width: number): Buffer =>
    Buffer.concat(Array.from({ length: width }, (_, n) => hashes.at(8 * level, index * WIDTH + n)))
  for (let level = 0; size >= WIDTH ** level; level++) {
    for (let index = 0; index < Math.floor(size / WIDTH ** (level + 1)); index++)
      expect(`tile/8/${level}/${indexPath(index)}`, hashesAt(level, index, WIDTH))
    for (const [index = 0, width = 0] of [...widths(level)].map((text) => text.split(' ').map(Number)))
      expect(`tile/8/${level}/${indexPath(index)}.p/${width}`, hashesAt(level, index, width))
  }
  const dataAt = (index: number, width: number): Buffer =>
    Buffer.from(
      records
        .slice(index * WIDTH, index * WIDTH + width)
        .map((record) => `${record}\n`)
        .join(''),
    )
  for (let index = 0; index < Math.floor(size / WIDTH); index++)
    expect(`tile/8/data/${indexPath(index)}`, dataAt(index, WIDTH))
  const kept = [...widths(0)].map((text) => text.split(' ').map(Number)).slice(-4)
  for (const [index = 0, width = 0] of kept)
    expect(`tile/8/data/${indexPath(index)}.p/${width}`, dataAt(index, width))
  // Those that are removed a moment after they were needed: only what is in them counts.
  for (const name of found) {
    const [, level = '', digits = '', width = ''] =
      /^tile\/8\/(data|\d)\/((?:x\d{3}\/)*\d{3})\.p\/(\d+)$/.exec(name) ?? []
    const index = Number(digits.replaceAll(/[x/]/g, ''))
    const isData = level === 'data'
    const depth = isData ? 0 : Number(level)
    const isOfHead = [...heads.keys()].some(
      (n) => Math.floor(n / WIDTH ** depth) === index * WIDTH + Number(width),
    )
    if (level === '' || !isOfHead) problems.push(`${name} should not be there`)
    else expect(name, isData ? dataAt(index, Number(width)) : hashesAt(depth, index, Number(width)))
  }
  return problems
}

/** The versions with an `.info` that have no record, or one with another go.mod. */
export function unrecordedVersions(data: string, owner = 'admin'): string[] {
  const signer = parseSigner(readFileSync(join(data, sumdbState(owner), 'key'), 'utf8'))
  if (!signer) return ['the key is damaged']
  const { tree } = foldersOf(data, owner, signer.name)
  const go = join(data, 'tree/api/packages', owner, 'go')
  return filesBelow(go).flatMap((name) => {
    const [, folder = '', version = ''] = /^(.+)\/@v\/(v.*)\.info$/.exec(name) ?? []
    if (version === '') return []
    const lookup = join(tree, 'lookup', `${folder}@${version}`)
    const mod = readFileSync(join(go, dirname(name), `${version}.mod`))
    const sum = sha256(`${sha256(mod).toString('hex')}  go.mod\n`).toString('base64')
    const record = existsSync(lookup) ? readFileSync(lookup, 'utf8') : 'nothing'
    return record.includes(`/go.mod h1:${sum}\n`) ? [] : [`${name}: recorded is ${record}`]
  })
}
