// Makes the module zip of a folder with the content that go itself would pack, so that its h1 is the one in everybody's
// go.sum. In a git checkout it packs the commit, elsewhere the files as they are.

import { realpathSync, statSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { sumOf } from '../digest.js'
import { quote } from '../errors.js'
import { MAX_GO_MOD_BYTES } from '../gomod/check-zip.js'
import { modulePathOf } from '../gomod/modfile.js'
import { chooseFiles, type LeftOut } from '../gomod/module-files.js'
import { checkModulePath, checkPathMajor } from '../gomod/module-path.js'
import { problemText, type Problem } from '../gomod/problems.js'
import { checkVersion } from '../gomod/semver.js'
import { readModuleZip, type ModuleZip } from '../modzip/read-zip.js'
import { chooseCommit, commitSource } from './commit.js'
import { folderSource } from './folder.js'
import { findCheckout } from './git.js'
import type { Source } from './source.js'
import { writeZip } from './write-zip.js'

/** What to pack. */
export type Packing = {
  /** The module's folder: it holds the go.mod. */
  folder: string
  version: string
  /** The module path of a folder without go.mod. */
  module?: string | undefined
  /** The commit to pack, in any spelling that git knows. */
  revision?: string | undefined
  /** Pack the folder as it is on the disk, even in a git checkout. */
  asIs?: boolean
  /** A folder for temporary files. */
  temp: string
  onBytes?: (done: number, total: number) => void
}

/** A module zip that obeys all rules. `bytes` and `sha256` (hex) are those of the zip itself. */
export type Checked = Pick<ModuleZip, 'module' | 'version' | 'zipHash' | 'modHash'> & {
  path: string
  bytes: number
  sha256: string
  warnings: string[]
}

export type Packed = Checked & {
  commit?: string
  files: { path: string; size: number }[]
  leftOut: LeftOut[]
}

/** The module cannot be packed. The message has every reason, one a line. */
class NotPackable extends Error {
  constructor(problems: readonly Problem[]) {
    super(problemText(problems))
  }
}

async function sourceOf({ folder, version, revision, asIs, temp }: Packing): Promise<Source> {
  if (asIs) return folderSource(folder)
  // git prints real paths. A link to a folder of a checkout counts as that folder.
  const checkout = await findCheckout(realpathSync(folder))
  if (checkout) return commitSource(checkout, await chooseCommit(checkout, version, revision, temp), temp)
  if (revision !== undefined) throw new Error(`--rev: ${folder} is in no git checkout`)
  return folderSource(folder)
}

// go leaves out a root go.mod that is a link, and refuses one that is too large. Without it the module would have no
// dependencies, which nobody wants.
async function readGoMod({ files, leftOut }: Source): Promise<string | undefined> {
  const goMod = files.find(({ path }) => path === 'go.mod')
  if (!goMod && !leftOut.some(({ path }) => path === 'go.mod')) return undefined
  if (goMod?.kind !== 'file')
    throw new Error('go.mod is not a regular file: go would leave it out of the module')
  if (goMod.size > MAX_GO_MOD_BYTES)
    throw new Error(`go.mod file too large (max size is ${MAX_GO_MOD_BYTES} bytes)`)
  return (await buffer(goMod.open())).toString('utf8')
}

function moduleOf(packing: Packing, source: Source, goMod: string | undefined): string {
  const where = source.commit === undefined ? packing.folder : `commit ${source.commit.slice(0, 12)}`
  const asked = packing.module
  if (goMod === undefined) {
    if (asked !== undefined) return asked
    const more = source.commit === undefined ? '' : '; --as-is packs the folder as it is'
    throw new Error(`${where} has no go.mod there: --module names a module without one${more}`)
  }
  const declared = modulePathOf(goMod)
  if (declared === undefined) throw new Error(`the go.mod of ${where} has no module line that can be read`)
  if (asked !== undefined && asked !== declared)
    throw new Error(`--module is ${quote(asked)}, but the go.mod says ${quote(declared)}`)
  return declared
}

/** Checks the zip at `path` by all rules. Throws {@link NotPackable} with every problem. */
export async function checkedZip(path: string): Promise<Checked> {
  const reading = await readModuleZip(path)
  if (!reading.ok) throw new NotPackable(reading.problems)
  const { module, version, zipHash, modHash, warnings } = reading.zip
  const { sha256, size } = await sumOf(path)
  return {
    module,
    version,
    zipHash,
    modHash,
    path,
    bytes: size,
    sha256,
    warnings: warnings.length === 0 ? [] : problemText(warnings).split('\n'),
  }
}

const hint = (version: string): string =>
  checkVersion(`v${version}`) === undefined ? ` (${quote(`v${version}`)}?)` : ''

/** Throws what is wrong with the version that was typed. */
function mustBeVersion(version: string): void {
  const problem = checkVersion(version)
  if (problem !== undefined) throw new Error(`${problem}${hint(version)}`)
}

/** Packs into the new file `path`. Throws an error whose message is for the person who packs. */
export async function pack(packing: Packing, path: string): Promise<Packed> {
  const { version, folder } = packing
  mustBeVersion(version)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${folder} is not a directory`)
  const source = await sourceOf(packing)
  try {
    const goMod = await readGoMod(source)
    const module = moduleOf(packing, source, goMod)
    const wrong = checkModulePath(module) ?? checkPathMajor(module, version)
    if (wrong !== undefined) throw new Error(wrong)
    const { taken, leftOut, problems } = chooseFiles(source.files, goMod)
    if (problems.length > 0) throw new NotPackable(problems)
    const total = taken.reduce((sum, { size }) => sum + size, 0)
    await writeZip(path, `${module}@${version}/`, taken, (done) => packing.onBytes?.(done, total))
    const zip = await checkedZip(path)
    const byPath = (a: { path: string }, b: { path: string }): number =>
      Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))
    return {
      ...zip,
      ...(source.commit !== undefined && { commit: source.commit }),
      files: taken.map((file) => ({ path: file.path, size: file.size })).sort(byPath),
      leftOut: [...source.leftOut, ...leftOut].sort(byPath),
      warnings: [...source.warnings, ...zip.warnings],
    }
  } finally {
    source.close()
  }
}
