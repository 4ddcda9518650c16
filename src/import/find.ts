// Finds the versions in a folder that has the shape of the GOPROXY protocol: cache/download of a module cache, or the
// folder of a proxy. Only the versions of one module are held at a time.

import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errno, messageOf, quote, Refusal, visible } from '../errors.js'
import { checkModulePath, unescapePath } from '../gomod/module-path.js'
import { parseVersion } from '../gomod/semver.js'

/** Where the download cache is in the folders that people carry: a GOPATH, a GOMODCACHE. */
const WITHIN = ['pkg/mod/cache/download', 'cache/download']
/** Answers of the checksum database, and what begins with a dot, a run of `plinth collect` say: no modules there. */
const NO_MODULES = /^(?:sumdb$|\.)/

/** A version: `has` are the extensions of its files, `base` is their absolute path without the extension. */
export type FoundVersion = { module: string; version: string; base: string; has: ReadonlySet<string> }
/** A zip that is not of a version, or a folder that cannot be read. */
export type Unusable = { path: string; reason: string }

/**
 * The folder to import, absolute and without links. Throws a 404 when it does not exist, and a 403 when it cannot be
 * read.
 */
export async function downloadFolder(folder: string): Promise<string> {
  for (const within of [...WITHIN, '.']) {
    try {
      const found = await realpath(join(folder, within))
      if ((await stat(found)).isDirectory()) {
        await readdir(found)
        return found
      }
    } catch (error) {
      if (['EACCES', 'EPERM'].includes(errno(error) ?? ''))
        throw new Refusal(
          403,
          `the service's user may not read ${visible(folder)}: copy it to where that user may, or give it the right`,
        )
      if (!['ENOENT', 'ENOTDIR'].includes(errno(error) ?? '')) throw error
    }
  }
  throw new Refusal(404, `there is no folder ${visible(folder)}`)
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1)

function* versionsIn(folder: string, escaped: string, files: Dirent[]): Generator<FoundVersion | Unusable> {
  const versions = new Map<string, Set<string>>()
  for (const { name } of files.filter((file) => file.isFile())) {
    const [, stem, extension] = /^(.+)\.(zip|mod|info|ziphash)$/s.exec(name) ?? []
    if (stem === undefined || extension === undefined || stem === 'latest') continue
    versions.set(stem, (versions.get(stem) ?? new Set()).add(extension))
  }
  const module = unescapePath(escaped)
  const wrong =
    module === undefined ? `${quote(escaped)} is not an escaped module path` : checkModulePath(module)
  for (const [stem, has] of versions) {
    const version = unescapePath(stem)
    const base = join(folder, stem)
    if (module !== undefined && wrong === undefined && version !== undefined && parseVersion(version))
      yield { module, version, base, has }
    // go keeps an .info of each branch and commit that it was asked for, too: without a zip it is no version.
    else if (has.has('zip')) yield { path: `${base}.zip`, reason: wrong ?? 'its name is not a version' }
  }
}

/** Yields every version below `root`, in the order of names. Does not follow links. */
export async function* findVersions(root: string, escaped = ''): AsyncGenerator<FoundVersion | Unusable> {
  const folder = join(root, escaped)
  let entries: Dirent[]
  try {
    entries = (await readdir(folder, { withFileTypes: true })).sort(byName)
  } catch (error) {
    yield { path: folder, reason: `it cannot be read: ${errno(error) ?? messageOf(error)}` }
    return
  }
  if (escaped.endsWith('/@v')) return yield* versionsIn(folder, escaped.slice(0, -'/@v'.length), entries)
  for (const entry of entries) {
    if (!entry.isDirectory() || (escaped === '' && NO_MODULES.test(entry.name))) continue
    yield* findVersions(root, escaped === '' ? entry.name : `${escaped}/${entry.name}`)
  }
}
