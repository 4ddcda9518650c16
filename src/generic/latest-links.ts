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
 * The latest of `versions` that has `file`. The highest semantic version is found first; the times of all others are
 * looked at only when no semantic version has the file.
 */
async function latestWith(
  store: Store,
  at: Omit<GenericVersion, 'version'>,
  versions: readonly string[],
  file: string,
): Promise<string | undefined> {
  const semantic = versions.filter((version) => semverOf(version) !== undefined)
  const named = semantic.map((version) => ({ version, time: '' })).sort((a, b) => compareGeneric(b, a))
  for (const { version } of named)
    if ((await timeOf(store, { ...at, version }, file)) !== undefined) return version
  const dated: { version: string; time: string }[] = []
  for (const version of versions.filter((other) => semverOf(other) === undefined)) {
    const time = await timeOf(store, { ...at, version }, file)
    if (time !== undefined) dated.push({ version, time })
  }
  return dated.sort((a, b) => compareGeneric(b, a))[0]?.version
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
    const versions = await store.names(dirname(genericVersionFolder(at)))
    const other = await latestWith(
      store,
      at,
      versions.filter((version) => version !== at.version),
      file,
    )
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
  const links: PlannedLink[] = []
  let versions: string[] | undefined
  for (const file of files) {
    const current = await targetOf(store, at, file)
    if (current !== undefined && current !== at.version) continue
    versions ??= (await store.names(dirname(genericVersionFolder(at)))).filter((name) => name !== at.version)
    const version = await latestWith(store, at, versions, file)
    links.push(
      version === undefined
        ? { path: latestLink(at, file), text: undefined }
        : linkTo({ ...at, version }, file),
    )
  }
  return links
}
