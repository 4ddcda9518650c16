// `-/latest/{name}/{file}`: a link to the file of that name in the latest version that has one. So the address of a
// file goes on working while the files of a new version are uploaded one after the other.

import { dirname } from 'node:path'
import {
  genericFile,
  genericVersionFolder,
  latestLink,
  latestTarget,
  type GenericVersion,
} from '../layout.js'
import type { Store } from '../store/store.js'
import { compareGeneric, semverOf } from '../views/generic-index.js'
import { timeText } from '../views/module-index.js'

/** A symbolic link with its text; `undefined` stands for no link. */
export type PlannedLink = { path: string; text: string | undefined }

/** Where the link of `file` points to, when that file exists. */
async function targetOf(store: Store, at: GenericVersion, file: string): Promise<string | undefined> {
  const text = await store.linkText(latestLink(at, file))
  const version = text?.split('/').at(-2)
  if (version === undefined || text !== latestTarget({ ...at, version }, file)) return undefined
  return (await store.exists(genericFile({ ...at, version }, file))) ? version : undefined
}

const timeOf = async (store: Store, at: GenericVersion, file: string): Promise<string | undefined> => {
  const status = await store.status(genericFile(at, file))
  return status?.isFile() ? timeText(status.mtime) : undefined
}

/**
 * Finds for each of `files` the latest of `versions` that has it. The folder of a version is read once, the highest
 * semantic version first; the others, whose times count, are read only for files that no semantic version has.
 */
async function latestWith(
  store: Store,
  at: Omit<GenericVersion, 'version'>,
  versions: readonly string[],
  files: readonly string[],
): Promise<Map<string, string>> {
  const latest = new Map<string, string>()
  const left = new Set(files)
  const semantic = versions.filter((version) => semverOf(version) !== undefined)
  const inOrder = semantic.map((version) => ({ version, time: '' })).sort((a, b) => compareGeneric(b, a))
  const found = async (version: string): Promise<string[]> =>
    left.size === 0
      ? []
      : (await store.names(genericVersionFolder({ ...at, version }))).filter((file) => left.has(file))
  for (const { version } of inOrder)
    for (const file of await found(version)) {
      latest.set(file, version)
      left.delete(file)
    }
  const dated = new Map<string, { version: string; time: string }>()
  for (const version of versions.filter((other) => semverOf(other) === undefined))
    for (const file of await found(version)) {
      const one = { version, time: (await timeOf(store, { ...at, version }, file)) ?? '' }
      const other = dated.get(file)
      if (!other || compareGeneric(one, other) > 0) dated.set(file, one)
    }
  for (const [file, { version }] of dated) latest.set(file, version)
  return latest
}

const linkTo = (at: GenericVersion, file: string): PlannedLink => ({
  path: latestLink(at, file),
  text: latestTarget(at, file),
})

/** The link of a file of this version that is about to have its name, published at `time`; none when it stays. */
export async function linkToFresh(
  store: Store,
  at: GenericVersion,
  { file, time }: { file: string; time: string },
): Promise<PlannedLink[]> {
  const current = await targetOf(store, at, file)
  if (current === at.version) return []
  if (current === undefined) {
    // No link: no other version has such a file. A link to nothing is one that somebody else has left.
    if (!(await store.exists(latestLink(at, file)))) return [linkTo(at, file)]
    const versions = await store.names(dirname(genericVersionFolder(at)))
    const others = versions.filter((version) => version !== at.version)
    const other = (await latestWith(store, at, others, [file])).get(file)
    if (other === undefined) return [linkTo(at, file)]
    return [linkTo((await isLater(store, at, time, other, file)) ? at : { ...at, version: other }, file)]
  }
  return (await isLater(store, at, time, current, file)) ? [linkTo(at, file)] : []
}

async function isLater(
  store: Store,
  at: GenericVersion,
  time: string,
  other: string,
  file: string,
): Promise<boolean> {
  const otherTime = (await timeOf(store, { ...at, version: other }, file)) ?? ''
  return compareGeneric({ version: at.version, time }, { version: other, time: otherTime }) > 0
}

/** The links of `files` that leave this version, as far as they point to it or to nothing. */
export async function linksWithout(
  store: Store,
  at: GenericVersion,
  files: readonly string[],
): Promise<PlannedLink[]> {
  const leaving: string[] = []
  for (const file of files) {
    const current = await targetOf(store, at, file)
    if (current === undefined || current === at.version) leaving.push(file)
  }
  if (leaving.length === 0) return []
  const versions = (await store.names(dirname(genericVersionFolder(at)))).filter(
    (name) => name !== at.version,
  )
  const latest = await latestWith(store, at, versions, leaving)
  return leaving.map((file) => {
    const version = latest.get(file)
    return version === undefined
      ? { path: latestLink(at, file), text: undefined }
      : linkTo({ ...at, version }, file)
  })
}
