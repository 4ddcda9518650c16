// Chooses the files of a folder that go into its module zip: golang.org/x/mod/zip checkFiles and isVendoredPackage.
// Pure. In: names, kinds and sizes. Out: files to pack, files left out, and problems that forbid the whole zip.

import { goModCaseProblem, isGoMod, MAX_ZIP_BYTES, sizeProblem } from './check-zip.js'
import { Collisions } from './collisions.js'
import { goVersionOf, isGoAtLeast } from './modfile.js'
import { checkFilePath } from './module-path.js'
import { ProblemList, type Problem } from './problems.js'

/** A file below the module's root: `path` with slashes, relative; `size` in bytes. */
export type Candidate = { path: string; kind: 'file' | 'symlink' | 'other'; size: number }

/** `path` ends in a slash where a whole folder is left out. */
export type LeftOut = { path: string; rule: string }

type Choice<T> = { taken: T[]; leftOut: LeftOut[]; problems: Problem[] }

export const IN_ANOTHER_MODULE = 'in another module (it has a go.mod of its own)'
const VENDORED = 'a vendored package'

/**
 * x/mod/zip isVendoredPackage with its quirk: until `go 1.24` in the go.mod, `pkg/vendor/x.go` counts as a vendored
 * package when a slash follows its first eight bytes (golang.org/issue/37397), and `vendor/modules.txt` is kept.
 */
function isVendored(path: string, goVersion: string | undefined): boolean {
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

function problemOf(
  { path, kind, size }: Candidate,
  index: number,
  collisions: Collisions,
): string | undefined {
  const problem = checkFilePath(path) ?? goModCaseProblem(path) ?? collisions.add(path, false, index)
  return problem ?? (kind === 'file' ? sizeProblem(path, size) : undefined)
}

// A file that obeys the rules and still does not go in.
function notRegular({ path, kind }: Candidate): LeftOut | undefined {
  if (kind === 'symlink') return { path, rule: 'a symbolic link' }
  return kind === 'other' ? { path, rule: 'not a regular file' } : undefined
}

/** The folders below the root, with their slash, that have a go.mod: each is another module. */
function modulesBelow(candidates: readonly Candidate[]): Set<string> {
  const modules = new Set<string>()
  for (const { path, kind } of candidates) {
    const slash = path.lastIndexOf('/') + 1
    if (slash > 0 && kind === 'file' && isGoMod(path.slice(slash))) modules.add(path.slice(0, slash))
  }
  return modules
}

/** Chooses by go's rules. `goMod` is the text of the root go.mod: its `go` line decides about `vendor`. */
export function chooseFiles<T extends Candidate>(
  candidates: readonly T[],
  goMod: string | undefined,
): Choice<T> {
  const goVersion = goMod === undefined ? undefined : goVersionOf(goMod)
  const modules = modulesBelow(candidates)
  const collisions = new Collisions((index) => candidates[index]?.path ?? '')
  const leftOut = new Map<string, LeftOut>()
  const taken: T[] = []
  const problems = new ProblemList()
  let total = 0
  for (const [index, file] of candidates.entries()) {
    const elsewhere = reasonToLeaveOut(file.path, modules, goVersion)
    const rule = elsewhere ? undefined : problemOf(file, index, collisions)
    const left = elsewhere ?? notRegular(file)
    if (rule !== undefined) problems.add({ name: file.path, rule })
    else if (left) leftOut.set(left.path, left)
    else taken.push(file)
    if (!elsewhere && file.kind === 'file') total += file.size
  }
  if (total > MAX_ZIP_BYTES)
    problems.add({ rule: `module source tree too large (max size is ${MAX_ZIP_BYTES} bytes)` })
  return { taken, leftOut: [...leftOut.values()], problems: problems.list() }
}
