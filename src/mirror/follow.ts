// Follows the changes of an owner's modules, as its log tells them, without a list of the bucket. The cost is that of
// what has changed.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { escapePath } from '../gomod/module-path.js'
import { parseRecord } from '../views/parse-record.js'
import { unlessAbsent } from '../store/reading.js'
import { kindOf } from './object-kind.js'
import type { LocalFile, PublicFolder } from './public-folder.js'
import type { MirrorTools, Transfer } from './transfer.js'

/** So many modules have their names in memory. */
const MODULES_AT_ONCE = 200

type Following = {
  owner: string
  folder: PublicFolder
  transfer: Transfer
  /** Module → the versions that were published or deleted. */
  changed: ReadonlyMap<string, ReadonlySet<string>>
  /** The owner's checksum databases. */
  databases: readonly string[]
  /** Uploads the tiles of the databases that are new. */
  uploadTiles: () => Promise<void>
  mustBeThere: () => Promise<void>
}

type Plan = { upload: LocalFile[]; remove: { path: string; of: string }[] }

export async function follow(tools: MirrorTools, following: Following): Promise<void> {
  const modules = [...following.changed.keys()]
  for (let at = 0; at < modules.length; at += MODULES_AT_ONCE) {
    const batch = modules.slice(at, at + MODULES_AT_ONCE)
    const there = await listsInBucket(tools, following.owner, batch)
    const plans: Plan[] = []
    for (const module of batch) plans.push(await planModule(following, module, there.get(module) ?? []))
    // The tiles come behind the names, so that they are there for whatever these name.
    await following.uploadTiles()
    const uploads = plans.flatMap(({ upload }) => upload)
    for (const step of [0, 1, 2])
      await following.transfer.upload(uploads.filter(({ kind }) => kind.step === step))
    await following.mustBeThere()
    const removes = plans.flatMap(({ remove }) => remove)
    for (const step of [2, 1, 0])
      await following.transfer.remove(removes.filter(({ path }) => kindOf(path)?.step === step))
  }
}

/** The versions that the bucket's lists name, by module. */
async function listsInBucket(
  { rclone, work }: MirrorTools,
  owner: string,
  modules: readonly string[],
): Promise<Map<string, string[]>> {
  const lists = modules.map((module) => `${owner}/go/${escapePath(module)}/@v/list`)
  const [list, folder] = [await work.list(lists), work.temp()]
  await rclone.fetch(list, folder)
  const found = new Map<string, string[]>()
  for (const [at, module] of modules.entries())
    found.set(module, linesOf(await unlessAbsent(readFile(join(folder, lists[at] ?? '')))))
  await work.drop(folder)
  await work.drop(list)
  return found
}

const linesOf = (content: Uint8Array | undefined): string[] =>
  content ? Buffer.from(content).toString().split('\n').filter(Boolean) : []

async function planModule(
  { folder, transfer, changed, databases }: Following,
  module: string,
  there: readonly string[],
): Promise<Plan> {
  const of = `go/${escapePath(module)}`
  const views = `-/${of}/@`
  // The index of the module names versions that are in the list by then.
  const index = await folder.look(`${views}/index.json`)
  const files = new Map((await folder.module(of, transfer.moved)).map((file) => [file.path, file]))
  const list = linesOf(files.get(`${of}/@v/list`)?.content)
  const latest = parseRecord(files.get(`${of}/@latest`)?.content?.toString() ?? '')['Version']
  const known = new Set(there)
  const versions = new Set([
    ...(changed.get(module) ?? []),
    ...list.filter((version) => !known.has(version)),
    ...(typeof latest === 'string' ? [latest] : []),
  ])
  const upload = [...files.values()].filter(({ kind }) => kind.step === 2)
  if (index) upload.push(index)
  const remove: Plan['remove'] = []
  for (const version of versions) {
    const name = escapePath(version)
    const paths = ['zip', 'mod', 'info'].map((extension) => `${of}/@v/${name}.${extension}`)
    const facts = `${views}/${name}.json`
    if (files.has(`${of}/@v/${name}.info`)) {
      const seen = [...paths.map((path) => files.get(path)), await folder.look(facts)]
      for (const database of databases)
        seen.push(await folder.look(`go/sumdb/${database}/lookup/${escapePath(module)}@${name}`))
      upload.push(...seen.filter((file) => file !== undefined))
    } else remove.push(...[...paths, facts].map((path) => ({ path, of })))
  }
  if (!files.has(`${of}/@v/list`)) {
    const names = [
      `${of}/@latest`,
      ...['list', 'latest.info', 'latest.mod', 'latest.zip'].map((x) => `${of}/@v/${x}`),
    ]
    remove.push(...[...names, `${views}/index.json`].map((path) => ({ path, of })))
  }
  return { upload, remove }
}
