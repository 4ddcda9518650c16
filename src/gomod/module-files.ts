// Which files of a folder go into its module zip: golang.org/x/mod/zip checkFiles and isVendoredPackage. Pure: names,
// kinds and sizes in; what is taken, what is left out, and what forbids the whole zip out.

import { MAX_GO_MOD_BYTES, MAX_ZIP_BYTES } from './check-zip.js'
import { fold } from './fold.js'
import { goVersionOf, isGoAtLeast } from './modfile.js'
import { checkFilePath } from './module-path.js'
import type { Problem } from './problems.js'
import { Collisions } from './collisions.js'

/** A file below the module's root: `path` with slashes, relative; `size` in bytes. */
export type Candidate = { path: string; kind: 'file' | 'symlink' | 'other'; size: number }

/** `path` ends in a slash where a whole folder is left out. */
export type LeftOut = { path: string; rule: string }

export type Choice<T> = { taken: T[]; leftOut: LeftOut[]; problems: Problem[] }

export const IN_ANOTHER_MODULE = 'in another module (it has a go.mod of its own)'
const VENDORED = 'a vendored package'

/**
 * x/mod/zip isVendoredPackage, its quirk included: until `go 1.24` in the go.mod, `pkg/vendor/x.go` counts as a vendored
 * package when what follows its first eight bytes has a slash (golang.org/issue/37397), and `vendor/modules.txt` is kept.
 */
export function isVendored(path: string, goVersion: string | undefined): boolean {
  const since124 = isGoAtLeast(goVersion, 1, 24)
  if (since124 && path === 'vendor/modules.txt') return true
  const bytes = Buffer.from(path) // the quirk counts bytes
  if (path.startsWith('vendor/')) return bytes.includes('/', 'vendor/'.length)
  const at = bytes.indexOf('/vendor/')
  return at >= 0 && bytes.includes('/', (since124 ? at : 0) + '/vendor/'.length)
}

// 'a/b/c.go' → 'a/', 'a/b/'
function* foldersOf(path: string): Generator<string> {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) yield path.slice(0, at + 1)
}

const first = (folders: Iterable<string>, holds: (folder: string) => boolean): string | undefined => {
  for (const folder of folders) if (holds(folder)) return folder
  return undefined
}

function reasonToLeaveOut(
  path: string,
  modules: ReadonlySet<string>,
  goVersion: string | undefined,
): LeftOut | undefined {
  if (isVendored(path, goVersion)) {
    const folder = first(foldersOf(path), (one) => isVendored(one.slice(0, -1), goVersion))
    return { path: folder ?? path, rule: VENDORED }
  }
  const module = first(foldersOf(path), (folder) => modules.has(folder))
  if (module !== undefined) return { path: module, rule: IN_ANOTHER_MODULE }
  return path === '.hg_archival.txt' ? { path, rule: 'made by hg archive' } : undefined
}

function problemOf({ path, kind, size }: Candidate, collisions: Collisions): string | undefined {
  const problem =
    checkFilePath(path) ??
    (path !== 'go.mod' && path.toLowerCase() === 'go.mod'
      ? 'go.mod files must have lowercase names'
      : undefined) ??
    collisions.add(path, false)
  if (problem !== undefined || kind !== 'file') return problem
  return (path === 'go.mod' || path === 'LICENSE') && size > MAX_GO_MOD_BYTES
    ? `${path} file too large (max size is ${MAX_GO_MOD_BYTES} bytes)`
    : undefined
}

/** Folders, with their slash, that have a go.mod; that of the root is `''` and no other module's. */
function modulesBelow(candidates: readonly Candidate[]): Set<string> {
  const modules = new Set<string>()
  for (const { path, kind } of candidates) {
    const slash = path.lastIndexOf('/') + 1
    if (slash > 0 && kind === 'file' && fold(path.slice(slash)) === 'go.mod')
      modules.add(path.slice(0, slash))
  }
  return modules
}

/** Chooses by go's rules; `goMod` is the text of the root go.mod, whose `go` line decides about `vendor`. */
export function chooseFiles<T extends Candidate>(
  candidates: readonly T[],
  goMod: string | undefined,
): Choice<T> {
  const goVersion = goMod === undefined ? undefined : goVersionOf(goMod)
  const modules = modulesBelow(candidates)
  const collisions = new Collisions()
  const leftOut = new Map<string, LeftOut>()
  const taken: T[] = []
  const problems: Problem[] = []
  let room = MAX_ZIP_BYTES
  let tooLarge = false
  for (const file of candidates) {
    const left = reasonToLeaveOut(file.path, modules, goVersion)
    if (left) {
      leftOut.set(left.path, left)
      continue
    }
    const rule = problemOf(file, collisions)
    if (rule !== undefined) problems.push({ name: file.path, rule })
    else if (file.kind === 'symlink') leftOut.set(file.path, { path: file.path, rule: 'a symbolic link' })
    else if (file.kind === 'other') leftOut.set(file.path, { path: file.path, rule: 'not a regular file' })
    else taken.push(file)
    if (file.kind !== 'file') continue
    if (file.size <= room) room -= file.size
    else tooLarge = true
  }
  if (tooLarge) problems.push({ rule: `module source tree too large (max size is ${MAX_ZIP_BYTES} bytes)` })
  return { taken, leftOut: [...leftOut.values()], problems }
}
