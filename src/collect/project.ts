// What a project needs: every version that its go.sum files name or its build list has, and the toolchains that its
// `go` and `toolchain` lines name. Nothing is written in the project's folder: go works on copies.

import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { ignoring, messageOf } from '../errors.js'
import { parseGoSum, type GoSumLine } from '../gomod/go-sum.js'
import { mustRunGo, objectsIn, type GoRun } from './go-command.js'
import { toolchainFor } from './toolchains.js'

type NamedVersion = { module: string; version: string }

/** The lines of one go.sum or go.work.sum. `from` is its path. */
type SumFile = { from: string; lines: GoSumLine[] }

/** `problems` are what could not be found out, a line or several each. */
type ProjectNeeds = {
  sums: SumFile[]
  versions: NamedVersion[]
  toolchains: string[]
  problems: string[]
}

/** A go.mod or go.work as `go mod edit -json` prints it, as far as it is used here. */
type Edited = {
  Go?: string
  Toolchain?: string
  Use?: { DiskPath: string }[] | null
  Replace?: { Old: Replaced; New: Replaced }[] | null
}
type Replaced = { Path: string; Version?: string }

/** How go works on copies: its settings, and the copy of the go.sum to which it adds. */
type Copies = { run: GoRun; flags: string[]; sums: string }

const isFolderPath = (path: string): boolean => /^\.{1,2}(?:\/|$)/.test(path) || isAbsolute(path)

const textOf = ({ Path, Version }: Replaced): string => (Version ? `${Path}@${Version}` : Path)

async function readSums(from: string): Promise<SumFile[]> {
  if (!existsSync(from)) return []
  try {
    return [{ from, lines: parseGoSum(await readFile(from, 'utf8')) }]
  } catch (error) {
    throw new Error(`${from}: ${messageOf(error)}`, { cause: error })
  }
}

const copyIfThere = (from: string, to: string): Promise<boolean> =>
  ignoring(['ENOENT'], () => copyFile(from, to))

/** Copies of go.mod and go.sum in `temp`. Paths in the go.mod stay relative to the project's folder. */
async function copyModule(folder: string, temp: string, signal: AbortSignal): Promise<Copies> {
  const mod = join(temp, 'go.mod')
  await copyFile(join(folder, 'go.mod'), mod)
  await copyIfThere(join(folder, 'go.sum'), join(temp, 'go.sum'))
  const run = { cwd: folder, env: { GOWORK: 'off' }, signal }
  return { run, flags: ['-mod=mod', `-modfile=${mod}`], sums: join(temp, 'go.sum') }
}

/** Copies of go.work and go.work.sum in `temp`. Paths in the go.work become absolute. */
async function copyWorkspace(
  folder: string,
  { Use, Replace }: Edited,
  temp: string,
  signal: AbortSignal,
): Promise<Copies> {
  const work = join(temp, 'go.work')
  await copyFile(join(folder, 'go.work'), work)
  await copyIfThere(join(folder, 'go.work.sum'), join(temp, 'go.work.sum'))
  const edits = [
    ...(Use ?? []).flatMap(({ DiskPath }) => [`-dropuse=${DiskPath}`, `-use=${resolve(folder, DiskPath)}`]),
    ...(Replace ?? [])
      .filter(({ New }) => isFolderPath(New.Path))
      .map(({ Old, New }) => `-replace=${textOf(Old)}=${resolve(folder, New.Path)}`),
  ]
  const run = { cwd: folder, env: { GOWORK: work }, signal }
  if (edits.length > 0) await mustRunGo(run, 'work', 'edit', ...edits, work)
  return { run, flags: ['-mod=readonly'], sums: join(temp, 'go.work.sum') }
}

async function edited(kind: 'mod' | 'work', file: string, run: GoRun): Promise<Edited> {
  return (objectsIn(await mustRunGo(run, kind, 'edit', '-json', file))[0] ?? {}) as Edited
}

/** The versions that are selected for a build, those that only other modules' tests need included. */
async function buildList({ run, flags }: Copies): Promise<NamedVersion[]> {
  const listed = objectsIn(await mustRunGo(run, 'list', '-m', '-json', ...flags, 'all'))
  return listed.flatMap((one) => {
    const { Path, Version } = (one['Replace'] ?? one) as Partial<Replaced>
    // a module of the project has no version, nor has a replacement by a folder
    return Path !== undefined && Version ? [{ module: Path, version: Version }] : []
  })
}

/**
 * Finds out what the project in `folder` (absolute) needs. `temp` is the path of a new folder, absolute. Throws when it
 * is no project, or a file of it cannot be read.
 */
export async function readProject(folder: string, temp: string, signal: AbortSignal): Promise<ProjectNeeds> {
  const isWorkspace = existsSync(join(folder, 'go.work'))
  const isModule = existsSync(join(folder, 'go.mod'))
  if (!isWorkspace && !isModule) throw new Error(`${folder} has no go.mod and no go.work`)
  await mkdir(temp)
  const aside = { cwd: temp, env: { GOWORK: 'off' }, signal }
  const work = isWorkspace ? await edited('work', join(folder, 'go.work'), aside) : undefined
  const uses = (work?.Use ?? []).map(({ DiskPath }) => resolve(folder, DiskPath))
  const modules = [...new Set([...uses, ...(isModule ? [folder] : [])])]
  const needs: ProjectNeeds = { sums: [], versions: [], toolchains: [], problems: [] }
  for (const module of modules) needs.sums.push(...(await readSums(join(module, 'go.sum'))))
  needs.sums.push(...(await readSums(join(folder, 'go.work.sum'))))

  const files = work ? [work] : []
  for (const module of modules) files.push(await edited('mod', join(module, 'go.mod'), aside))
  for (const { Go: go, Toolchain: toolchain } of files)
    try {
      const name = toolchainFor({ go, toolchain })
      if (name !== undefined) needs.toolchains.push(name)
    } catch (error) {
      needs.problems.push(messageOf(error))
    }

  const copies = await (work ? copyWorkspace(folder, work, temp, signal) : copyModule(folder, temp, signal))
  try {
    needs.versions = await buildList(copies)
  } catch (error) {
    signal.throwIfAborted()
    needs.problems.push(messageOf(error))
  }
  // go has added lines for versions of which the project has none, checked as the user's settings say
  needs.sums.push(...(await readSums(copies.sums)))
  return needs
}
