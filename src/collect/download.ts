// Downloads versions by the go command, into a module cache of go's, and checks what came by the rules of an upload.

import { mkdir, writeFile } from 'node:fs/promises'
import { sumOf } from '../digest.js'
import { messageOf } from '../errors.js'
import { goModHash } from '../gomod/dirhash.js'
import type { GoSum } from '../gomod/go-sum.js'
import { problemText } from '../gomod/problems.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { FilesOfVersion } from './carried.js'
import { objectsIn, runGo, type GoRun } from './go-command.js'

/** A version to collect. `foreign`: what go makes of it is of no use on this machine, and is not kept. */
export type Wanted = { module: string; version: string; foreign?: boolean }

/** What go has downloaded: its files and both hashes of go.sum. Else `reason` says why not. */
export type Downloaded = { wanted: Wanted } & (
  { files: FilesOfVersion; zipHash: string; modHash: string } | { reason: string }
)

/** An object of `go mod download -json`. */
type Printed = Partial<
  Record<'Path' | 'Version' | 'Error' | 'Info' | 'GoMod' | 'Zip' | 'Sum' | 'GoModSum', string>
>

const nameOf = ({ module, version }: Wanted): string => `${module}@${version}`

export class Downloads {
  /** An empty module, absolute, in which go finds the lines of all projects: what differs from them it refuses. */
  readonly #folder: string
  /** A module cache for what is not kept, absolute. */
  readonly #cache: string
  readonly #signal: AbortSignal

  private constructor(temp: string, signal: AbortSignal) {
    this.#folder = `${temp}/downloads`
    this.#cache = `${temp}/modcache`
    this.#signal = signal
  }

  /** `temp` is a folder, absolute, that is removed later. */
  static async open(temp: string, sums: GoSum, signal: AbortSignal): Promise<Downloads> {
    const downloads = new Downloads(temp, signal)
    await mkdir(downloads.#folder)
    await writeFile(`${downloads.#folder}/go.mod`, 'module collected\n')
    await writeFile(`${downloads.#folder}/go.sum`, sums.text())
    return downloads
  }

  /** Downloads several versions, all `foreign` or none of them. What fails does not keep the others. */
  async get(batch: readonly Wanted[]): Promise<Downloaded[]> {
    const env = { GOWORK: 'off', ...(batch[0]?.foreign && { GOMODCACHE: this.#cache }) }
    const run: GoRun = { cwd: this.#folder, env, signal: this.#signal }
    const flags = [`-modfile=${this.#folder}/go.mod`, ...(batch[0]?.foreign ? ['-modcacherw'] : [])]
    const { stdout, errors } = await runGo(run, 'mod', 'download', '-json', ...flags, ...batch.map(nameOf))
    const printed = new Map(
      (objectsIn(stdout) as Printed[]).map((one) => [`${one.Path ?? ''}@${one.Version ?? ''}`, one]),
    )
    // go ends at once, and says nothing of the others, when one has another hash than go.sum or the database says
    if (batch.length > 1 && batch.some((wanted) => !printed.has(nameOf(wanted)))) {
      const found: Downloaded[] = []
      for (const wanted of batch) found.push(...(await this.get([wanted])))
      return found
    }
    return batch.map((wanted) => downloadedOf(wanted, printed.get(nameOf(wanted)), errors))
  }
}

function downloadedOf(wanted: Wanted, printed: Printed | undefined, errors: string): Downloaded {
  const { Error: problem, Info: info, GoMod: mod, Zip: zip, Sum: zipHash, GoModSum: modHash } = printed ?? {}
  if (problem === undefined && info && mod && zip && zipHash && modHash)
    return { wanted, files: { info, mod, zip }, zipHash, modHash }
  const said = (problem ?? errors) || 'go did not say why'
  const prefix = `${nameOf(wanted)}: `
  return { wanted, reason: said.startsWith(prefix) ? said.slice(prefix.length) : said }
}

/**
 * Why a version that go has downloaded cannot be carried; `undefined` for one that is right: `plinth import` will take
 * it.
 */
export async function problemOf(
  zips: Pick<CheckPool, 'read'>,
  { wanted, files, zipHash, modHash }: Extract<Downloaded, { files: FilesOfVersion }>,
): Promise<string | undefined> {
  try {
    const reading = await zips.read(files.zip, { patient: true })
    if (!reading.ok) return `plinth import would refuse its zip: ${problemText(reading.problems)}`
    const { zip } = reading
    const damaged = `was damaged in the module cache (go clean -modcache removes all of it)`
    if (zip.module !== wanted.module || zip.version !== wanted.version)
      return `its zip holds ${zip.module}@${zip.version}`
    if (zip.zipHash !== zipHash) return `its zip ${damaged}: ${zip.zipHash}, it was ${zipHash}`
    const ofFile = goModHash((await sumOf(files.mod)).sha256)
    if (ofFile !== modHash) return `its go.mod ${damaged}: ${ofFile}, it was ${modHash}`
    if (zip.modHash !== modHash)
      return `its zip has another go.mod than the proxy: ${zip.modHash}, ${modHash}`
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
