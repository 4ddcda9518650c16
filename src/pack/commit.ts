// The files of a module at a commit, as go packs them from a repository: cmd/go/internal/modfetch codeRepo Zip,
// golang.org/x/mod/zip CreateFromVCS.

import { Readable } from 'node:stream'
import { quote } from '../errors.js'
import { parseVersion, isPseudoVersion, pseudoVersionTime } from '../gomod/semver.js'
import { OpenZip } from '../modzip/open-zip.js'
import { archive, blobOf, commitOf, commitTime, hasChanges, type Checkout } from './git.js'
import type { Source, SourceFile } from './source.js'

type Chosen = { commit: string; warnings: string[] }

// ('sub', 'v1.2.3') → sub/v1.2.3; ('sub/v2', 'v2.0.0') → sub/v2.0.0: the folder of a major version is not in its tags
/** The tag that go looks for (go.dev/ref/mod#vcs-version). */
export function tagOf(folder: string, version: string): string {
  const name = version.replace(/\+incompatible$/, '')
  const major = `v${parseVersion(version)?.major ?? ''}`
  const parts = folder === '' ? [] : folder.split('/')
  if (parts.at(-1) === major && major !== 'v0' && major !== 'v1') parts.pop()
  return [...parts, name].join('/')
}

async function pseudoVersionCommit(checkout: Checkout, version: string): Promise<Chosen> {
  const hash = version.replace(/\+incompatible$/, '').slice(version.lastIndexOf('-') + 1)
  const commit = await commitOf(checkout, hash)
  if (commit === undefined) throw new Error(`${version} names the commit ${hash}, which is not in this clone`)
  const time = await commitTime(checkout, commit)
  if (!commit.startsWith(hash) || hash.length !== 12)
    throw new Error(`${version} must end in the first 12 digits of the commit: ${commit.slice(0, 12)}`)
  if (pseudoVersionTime(version)?.getTime() !== time.getTime()) {
    const digits = time.toISOString().replace(/[-:T]|\..*/g, '')
    throw new Error(`${version} does not have the time of its commit, which go would refuse: ${digits}`)
  }
  return { commit, warnings: [] }
}

/**
 * The commit to pack: `revision` when it is given, else the commit of the pseudo-version or of the tag, else HEAD. git
 * writes into the folder `temp`.
 */
export async function chooseCommit(
  checkout: Checkout,
  version: string,
  revision: string | undefined,
  temp: string,
): Promise<Chosen> {
  if (revision !== undefined) {
    const commit = await commitOf(checkout, revision)
    if (commit === undefined) throw new Error(`there is no commit ${quote(revision)} in this clone`)
    return { commit, warnings: [] }
  }
  if (isPseudoVersion(version)) return pseudoVersionCommit(checkout, version)
  const tag = tagOf(checkout.folder, version)
  const tagged = await commitOf(checkout, `refs/tags/${tag}`)
  if (tagged !== undefined) return { commit: tagged, warnings: [] }
  const head = await commitOf(checkout, 'HEAD')
  if (head === undefined)
    throw new Error('nothing is committed in this checkout; --as-is packs the folder as it is')
  const warnings = [`there is no tag ${tag}: HEAD is packed, commit ${head.slice(0, 12)}`]
  if (await hasChanges(checkout, head, temp))
    warnings.push('what is not committed is not packed; --as-is packs the folder as it is')
  return { commit: head, warnings }
}

// 'sub', 'sub/x.go' → x.go
const below = (folder: string, name: string): string => (folder === '' ? name : name.slice(folder.length + 1))

const SYMLINK = 0o120000
const FILE_TYPE = 0o170000

/** The files of the checkout's folder at the chosen commit. git writes into the folder `temp`. */
export async function commitSource(checkout: Checkout, chosen: Chosen, temp: string): Promise<Source> {
  const { folder } = checkout
  const { commit, warnings } = chosen
  const zip = OpenZip.open(await archive(checkout, commit, temp))
  const files: SourceFile[] = []
  const folders = new Set<string>()
  for (const entry of zip.entries) {
    const path = below(folder, entry.name.toString('utf8'))
    if (path === '' || !entry.name.toString('utf8').startsWith(folder === '' ? '' : `${folder}/`)) continue
    if (path.endsWith('/')) {
      folders.add(path)
      continue
    }
    const kind = (entry.unixMode & FILE_TYPE) === SYMLINK ? 'symlink' : 'file'
    files.push({ path, kind, size: entry.size, open: () => zip.stream(entry) })
  }
  // The only empty folders in git are submodules.
  for (const { path } of files)
    for (let at = path.lastIndexOf('/'); at >= 0; at = path.lastIndexOf('/', at - 1)) {
      if (!folders.delete(path.slice(0, at + 1)) || at === 0) break
    }
  const leftOut = [...folders]
    .filter((one) => ![...folders].some((other) => other !== one && other.startsWith(one)))
    .map((path) => ({ path, rule: 'a git submodule' }))
  if (folder !== '' && !files.some(({ path }) => path === 'LICENSE')) {
    const license = await blobOf(checkout, commit, 'LICENSE')
    if (license)
      files.push({
        path: 'LICENSE',
        kind: 'file',
        size: license.length,
        open: () => Readable.from([license]),
      })
  }
  return { files, leftOut, commit, warnings, close: () => zip.close() }
}
