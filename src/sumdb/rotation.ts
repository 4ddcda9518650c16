// Gives an owner's database a new name and a new key: when the key was seen or lost, when a backup was restored, or
// when clients are to have another name. The records stay. The files of the old name stay in the tree, as they are,
// until they are dropped.

import { messageOf, PLINTH, Refusal } from '../errors.js'
import { goFolder, sumdbFolder } from '../layout.js'
import type { Store } from '../store/store.js'
import { DamagedLog } from './damaged-log.js'
import type { ChecksumDatabases } from './databases.js'
import { Growth } from './growth.js'
import { headLine, MAX_LINE_BYTES, readHeads, type SignedHead } from './heads-file.js'
import { newSigner, signatureOf, signerText, type Signer } from './note.js'
import { statePaths } from './paths.js'
import { restoreFiles } from './restore-files.js'
import { finishRotation, namesBefore } from './rotation-files.js'
import { mustBeNewName, noteName } from './names.js'
import { showToGo } from './supported.js'
import { BEGINNING, Truth, type LogPlace } from './truth.js'

type Needs = { store: Store; databases: ChecksumDatabases }

/** `onRecord` is called for each record that is written under the new name. */
type Rotating = { owner: string; name: string; onRecord: () => void }

/**
 * Rotates the database of an owner. It goes on recording, but for the last moment. Throws a {@link Refusal}: 404 when
 * there is none, 409 when it is not enabled or the name had a key before, 400 for a text that can be no name.
 */
export async function rotateDatabase(needs: Needs, { owner, name, onRecord }: Rotating): Promise<void> {
  const { store, databases } = needs
  const status = await databases.statusOf(owner)
  if (status === undefined) throw new Refusal(404, `owner ${owner} has no checksum database`)
  // The one that cannot be opened while it is enabled may have no other way out.
  if (status === 'disabled' || (status === 'enabling' && databases.logOf(owner)))
    throw new Refusal(409, `the checksum database of ${owner} is ${status}: enable it first`)
  await mustBeNewName(store, owner, name)
  const signer = newSigner(name)
  const log = databases.logOf(owner)
  const truth = new Truth(store, owner)
  await store.removeFolder(sumdbFolder(owner, name)) // a rotation that was cut off left it
  await store.removeFolder(statePaths(owner).next.folder)
  const first = log ? log.place : await endOf(owner, truth)
  await writeAs({ store, owner, signer, truth, onRecord }, BEGINNING, first)
  const switchOver = async (): Promise<void> => {
    const last = log ? log.place : first
    await writeAs({ store, owner, signer, truth, onRecord }, first, last)
    await writeNext(store, owner, signer, [first, last])
    await archive(store, owner)
    await takeNext(store, owner)
    await noteName(store, owner, signer)
    if (status === 'enabled') await showToGo(store, owner, name)
  }
  try {
    // What waits must not be appended to a file that is another one now.
    await (log ? log.close(`the checksum database of ${owner} is being rotated`, switchOver) : switchOver())
  } finally {
    await databases.open(owner)
  }
}

/** The place where a log ends of which nobody records: at its last head that its records fit. */
async function endOf(owner: string, truth: Truth): Promise<LogPlace> {
  const cannot = (why: string): Refusal =>
    new Refusal(
      409,
      `the records of ${owner} cannot be taken over: ${why}. Try ${PLINTH} sumdb recover ${owner}, or begin a log of ` +
        `what is there now: ${PLINTH} sumdb rotate ${owner} --name NEW --fresh`,
    )
  if (!(await truth.isThere())) throw cannot('its records or its heads are missing')
  let place = BEGINNING
  let end = 0
  const heads = readHeads(truth.heads, { start: 0, end: await truth.heads.size() })
  try {
    for await (const head of heads) {
      end += headLine(head).length
      place = { head, end }
    }
  } catch (error) {
    if (!(error instanceof DamagedLog)) throw error
    // A last line without its end was never whole. Behind another one there are heads that were shown.
    const rest = await truth.heads.read(end, end + MAX_LINE_BYTES)
    if (rest.includes('\n')) throw cannot(messageOf(error))
  }
  try {
    await truth.growthFromRecords(place)
  } catch (error) {
    throw cannot(messageOf(error))
  }
  return place
}

type Writing = { store: Store; owner: string; signer: Signer; truth: Truth; onRecord: () => void }

const signed = (signer: Signer, head: SignedHead): SignedHead => ({
  ...head,
  signature: signatureOf(signer, head),
})

/** Writes the files of the new name that come between two places. */
async function writeAs({ signer, ...writing }: Writing, from: LogPlace, to: LogPlace): Promise<void> {
  if (!to.head || to.end === from.end) return
  const { truth, owner } = writing
  const growth = from.head ? await truth.growthFromTiles(owner, signer.name, from) : new Growth()
  if (!growth) throw new DamagedLog(`tiles of ${signer.name} were removed while they were written`)
  const head = signed(signer, to.head)
  await restoreFiles({
    ...writing,
    verifier: signer,
    growth,
    from,
    to: { head, end: to.end },
    widths: 'last',
  })
}

/** Writes the key and the heads that come into force. `places` are those at which the new key has signed. */
async function writeNext(
  store: Store,
  owner: string,
  signer: Signer,
  places: readonly LogPlace[],
): Promise<void> {
  const { next } = statePaths(owner)
  const heads = new Map(places.flatMap(({ head }) => (head ? [[head.size, head]] : [])))
  const lines = [...heads.values()].map((head) => headLine(signed(signer, head)))
  await store.writeMaking(next.heads, lines.join(''), { secret: true })
  await store.writeMaking(next.key, `${signerText(signer)}\n`, { secret: true })
  await store.sync(next.folder)
}

/** Keeps the key and the heads of the name that goes. */
async function archive(store: Store, owner: string): Promise<void> {
  const { key, heads, before } = statePaths(owner)
  const nth = (await store.names(before)).length + 1
  const folder = `${before}/${nth}`
  await store.ensureFolder(folder)
  for (const file of [key, heads])
    if (await store.exists(file))
      await store.linkOver(file, `${folder}/${file.slice(file.lastIndexOf('/') + 1)}`)
  await store.sync(folder)
}

/** Puts the new key in force, then its heads. */
async function takeNext(store: Store, owner: string): Promise<void> {
  const { next, key, folder } = statePaths(owner)
  await store.move(next.key, key)
  await store.sync(folder)
  await finishRotation(store, owner)
}

/** Takes the files of earlier names out of the tree. Resolves with the names. */
export async function dropEarlier(store: Store, owner: string): Promise<string[]> {
  const dropped: string[] = []
  for (const name of await namesBefore(store, owner)) {
    const folder = sumdbFolder(owner, name)
    if (await store.remove(`${folder}/supported`)) await store.sync(folder)
    if (!(await store.removeFolder(folder))) continue
    dropped.push(name)
    await store.prune(folder.slice(0, folder.lastIndexOf('/')), goFolder(owner))
  }
  return dropped
}
