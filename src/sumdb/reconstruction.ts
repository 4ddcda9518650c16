// Makes the truth of a log again from what readers see, when that knows more: state/ was restored from a backup that is
// older than the tree, or is damaged. Every head that was shown stays one of this log.

import { Refusal } from '../errors.js'
import { AppendFile } from '../store/append-file.js'
import type { Store } from '../store/store.js'
import { DamagedLog } from './damaged-log.js'
import { Edge, TILE_WIDTH } from './edge.js'
import { HASH_BYTES, leafHash } from './hashes.js'
import { headLine, parseHeadLine, type SignedHead } from './heads-file.js'
import { openSigned, parseSigner, type Signer } from './note.js'
import { databasePaths, DATA, partialPath, statePaths, tilePath } from './paths.js'
import { parseLookup, parseRecord } from './record.js'

/** `onRecord` is called for each record that is read. */
type Reconstructing = { store: Store; owner: string; onRecord: () => void }

/**
 * Writes `records` and `heads` anew from the database in the tree, and puts them in force. The log must not be open.
 * Resolves with the number of records. Throws a {@link Refusal} when the tree cannot give them: nothing was changed.
 */
export async function reconstruct({ store, owner, onRecord }: Reconstructing): Promise<number> {
  const paths = statePaths(owner)
  const signer = parseSigner((await store.read(paths.key))?.toString() ?? '')
  if (!signer)
    throw new Refusal(409, `the key of the checksum database of ${owner} is lost or damaged: rotate it`)
  const { latest, at } = databasePaths(owner, signer.name)
  const shown = openSigned((await store.read(latest))?.toString() ?? '', signer)
  if (!shown) throw new Refusal(409, `there is no signed head in the tree: ${store.at(latest)}`)
  const known = await knownHeads(store, owner, signer)
  if ([...known.keys()].some((size) => size > shown.size))
    throw new Refusal(
      409,
      `the heads know more than the tree, which has ${shown.size} records: nothing is recovered`,
    )
  const { recovered } = paths
  await store.removeFolder(recovered.folder)
  await store.writeMaking(recovered.records, '', { secret: true })
  await store.writeMaking(recovered.heads, '', { secret: true })
  const records = new AppendFile(store.at(recovered.records))
  const heads = new AppendFile(store.at(recovered.heads))
  const heading = new Heading(store, owner, signer, known)
  const edge = new Edge()
  let [bytes, end] = [0, 0]
  for (let index = 0; edge.size < shown.size; index++) {
    const width = Math.min(TILE_WIDTH, shown.size - index * TILE_WIDTH)
    const data = (await readTile(store, at, index, width)).subarray(0)
    const lines: string[] = []
    let tileBytes = bytes
    for (const record of recordsIn(data.toString('latin1'), width, index)) {
      edge.append(leafHash(record))
      tileBytes += record.length + 1
      await heading.look(record)
      const head = heading.at(edge, tileBytes)
      if (head) lines.push(headLine(head))
      onRecord()
    }
    await records.append(data.subarray(0, tileBytes - bytes), bytes)
    const text = Buffer.from(lines.join(''))
    await heads.append(text, end)
    bytes = tileBytes
    end += text.length
  }
  if (!edge.root().equals(shown.root)) throw new DamagedLog('the data tiles are not those of the newest head')
  if (!heading.has(shown.size)) await heads.append(Buffer.from(headLine({ ...shown, bytes })), end)
  await store.sync(recovered.folder)
  await store.move(recovered.records, paths.records)
  await store.move(recovered.heads, paths.heads)
  await store.sync(paths.folder)
  await store.removeFolder(recovered.folder)
  return edge.size
}

/** The heads that are known here: size → head. A line that is none is left out. */
async function knownHeads(store: Store, owner: string, signer: Signer): Promise<Map<number, SignedHead>> {
  const known = new Map<number, SignedHead>()
  for await (const line of store.lines(statePaths(owner).heads)) {
    const head = parseHeadLine(line, signer)
    if (head) known.set(head.size, head)
  }
  return known
}

async function readTile(
  store: Store,
  at: (path: string) => string,
  index: number,
  width: number,
): Promise<Buffer> {
  const full = await store.read(at(tilePath(DATA, index)))
  const bytes =
    full ?? (width < TILE_WIDTH ? await store.read(at(partialPath(DATA, index, width))) : undefined)
  if (!bytes) throw new Refusal(409, `a data tile is missing in the tree: ${at(tilePath(DATA, index))}`)
  return bytes
}

/** The first `width` records of a data tile. */
function recordsIn(text: string, width: number, index: number): string[] {
  const records = text
    .split('\n\n')
    .slice(0, width)
    .map((record) => `${record}\n`)
  if (records.length < width || records.some((record) => !parseRecord(record)))
    throw new Refusal(409, `a data tile is damaged in the tree: ${tilePath(DATA, index)}`)
  return records
}

/** Collects the heads that the lookups of records show. */
class Heading {
  readonly #store: Store
  readonly #owner: string
  readonly #signer: Signer
  readonly #known: Map<number, SignedHead>
  readonly #written = new Set<number>()

  constructor(store: Store, owner: string, signer: Signer, known: Map<number, SignedHead>) {
    this.#store = store
    this.#owner = owner
    this.#signer = signer
    this.#known = known
  }

  /** Reads the head in the lookup of a record. A lookup that is lost is made again later. */
  async look(record: string): Promise<void> {
    const at = parseRecord(record)
    if (!at) return
    const text = await this.#store.read(databasePaths(this.#owner, this.#signer.name).lookup(at))
    const head = text && openSigned(parseLookup(text.toString())?.head ?? '', this.#signer)
    if (head && !this.#known.has(head.size)) this.#known.set(head.size, { ...head, bytes: 0 })
  }

  /** The head that was signed when the log had this edge, if there was one. */
  at(edge: Edge, bytes: number): SignedHead | undefined {
    const head = this.#known.get(edge.size)
    if (!head) return undefined
    if (head.root.length !== HASH_BYTES || !head.root.equals(edge.root()))
      throw new DamagedLog(`a head of size ${edge.size} is not one of the records in the tree`)
    this.#known.delete(edge.size)
    this.#written.add(edge.size)
    return { ...head, bytes }
  }

  has(size: number): boolean {
    return this.#written.has(size)
  }
}
