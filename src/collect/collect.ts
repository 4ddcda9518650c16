// Gathers what projects need into one folder that is carried to a network without others: every version in their
// go.sum files and build lists, and their toolchains, with the go.sum lines of all.

import { checkModulePath } from '../gomod/module-path.js'
import type { GoSum, GoSumLine } from '../gomod/go-sum.js'
import { messageOf } from '../errors.js'
import { parseVersion } from '../gomod/semver.js'
import { CheckPool } from '../modzip/check-pool.js'
import { stat } from 'node:fs/promises'
import { Carried } from './carried.js'
import { Downloads, problemOf, type Downloaded, type Wanted } from './download.js'
import { mustRunGo, objectsIn } from './go-command.js'
import { readProject } from './project.js'
import { TOOLCHAIN_MODULE, toolchainVersion } from './toolchains.js'

/** Versions that go is asked for at once: go downloads them side by side, and tells of them when all are there. */
const BATCH = 16

/**
 * `out` and `projects` are absolute folders; `platforms` are such as `linux/amd64`, this machine's when there is none.
 */
type CollectRequest = { out: string; platforms: string[]; projects: string[] }

/**
 * `done` versions are there, `of` so many; `before` of them were there earlier. `bytes` are of the zips that came.
 */
type CollectTotals = { done: number; of: number; before: number; failed: number; bytes: number }

/** What is being done now, or one thing that could not be collected and why. */
type CollectEvent = { doing: string } | { what: string; reason: string }

/** Hears of each step, with the totals so far. */
type Listener = (event: CollectEvent, totals: Readonly<CollectTotals>) => void

/**
 * Collects. Resolves with the totals and the names of the toolchains. What cannot be had is told to `tell`, and the
 * rest is collected. Rejects when there is no go, when the folder cannot be written, and when `signal` ends it; what
 * was collected by then stays.
 */
export async function collect(
  request: CollectRequest,
  signal: AbortSignal,
  tell: Listener,
): Promise<{ totals: CollectTotals; toolchains: string[] }> {
  const host = await hostPlatform(signal)
  const carried = await Carried.open(request.out)
  const zips = new CheckPool()
  try {
    return await new Collection(carried, zips, host, signal, tell).run(request)
  } finally {
    await zips.close()
    carried.close()
  }
}

/** This machine's platform, as go names it. */
async function hostPlatform(signal: AbortSignal): Promise<string> {
  const printed = await mustRunGo({ cwd: '/', signal }, 'env', '-json', 'GOHOSTOS', 'GOHOSTARCH')
  const { GOHOSTOS: os, GOHOSTARCH: arch } = objectsIn(printed)[0] ?? {}
  return `${String(os)}/${String(arch)}`
}

class Collection {
  readonly #carried: Carried
  readonly #zips: CheckPool
  /** This machine's platform. */
  readonly #host: string
  readonly #signal: AbortSignal
  readonly #tell: Listener
  readonly #totals: CollectTotals = { done: 0, of: 0, before: 0, failed: 0, bytes: 0 }
  /** `module@version` → what is wanted. */
  readonly #wanted = new Map<string, Wanted>()
  /** `module@version` that cannot be collected, whatever go says. */
  readonly #refused = new Set<string>()

  constructor(carried: Carried, zips: CheckPool, host: string, signal: AbortSignal, tell: Listener) {
    this.#carried = carried
    this.#zips = zips
    this.#host = host
    this.#signal = signal
    this.#tell = tell
  }

  async run({
    platforms,
    projects,
  }: CollectRequest): Promise<{ totals: CollectTotals; toolchains: string[] }> {
    const sums = await this.#carried.sums()
    const known = new Set([...sums.versions()].map(({ module, version }) => `${module}@${version}`))
    const toolchains = await this.#readProjects(projects, sums)
    for (const toolchain of toolchains)
      for (const platform of platforms.length > 0 ? new Set(platforms) : [this.#host])
        this.#want({
          module: TOOLCHAIN_MODULE,
          version: toolchainVersion(toolchain, platform),
          foreign: platform !== this.#host,
        })
    this.#totals.of = this.#wanted.size
    const missing = [...this.#wanted].flatMap(([name, wanted]) => {
      const isThere = known.has(name) && this.#carried.has(wanted.module, wanted.version)
      if (isThere) this.#totals.before++
      return isThere ? [] : [wanted]
    })
    this.#totals.done = this.#totals.before
    await this.#fetch(missing, sums)
    return { totals: this.#totals, toolchains }
  }

  #fail(what: string, reason: string): void {
    this.#totals.failed++
    this.#tell({ what, reason }, this.#totals)
  }

  #want(wanted: Wanted): void {
    const name = `${wanted.module}@${wanted.version}`
    if (!this.#wanted.has(name) && !this.#refused.has(name)) this.#wanted.set(name, wanted)
  }

  /** Names a version that is not collected, once. */
  #refuse(name: string, reason: string): void {
    this.#wanted.delete(name)
    if (this.#refused.has(name)) return
    this.#refused.add(name)
    this.#fail(name, reason)
  }

  /** Adds a line of the go.sum `from`. Two projects that say different things cannot both be built. */
  #addLine(line: GoSumLine, from: string, sums: GoSum): void {
    const name = `${line.module}@${line.version}`
    if (checkModulePath(line.module) !== undefined || !parseVersion(line.version))
      return this.#refuse(name, `${from} has a line for it, and it is not the version of a module`)
    const other = sums.add(line)
    if (other === undefined) this.#want({ module: line.module, version: line.version })
    else this.#refuse(name, `${from} says ${line.hash}, and another go.sum, or an earlier run, says ${other}`)
  }

  /** Adds what the projects need. Returns the names of their toolchains. */
  async #readProjects(projects: readonly string[], sums: GoSum): Promise<string[]> {
    const toolchains = new Set<string>()
    for (const [at, folder] of projects.entries()) {
      this.#tell({ doing: `reading project ${at + 1} of ${projects.length}: ${folder}` }, this.#totals)
      try {
        const needs = await readProject(folder, `${this.#carried.temp}/project${at}`, this.#signal)
        for (const { from, lines } of needs.sums) for (const line of lines) this.#addLine(line, from, sums)
        for (const version of needs.versions) this.#want(version)
        for (const toolchain of needs.toolchains) toolchains.add(toolchain)
        for (const problem of needs.problems) this.#fail(folder, problem)
      } catch (error) {
        this.#signal.throwIfAborted()
        this.#fail(folder, messageOf(error))
      }
    }
    return [...toolchains].sort()
  }

  /** Downloads what is missing. The next versions are downloaded while the ones before are checked and copied. */
  async #fetch(missing: readonly Wanted[], sums: GoSum): Promise<void> {
    const downloads = await Downloads.open(this.#carried.temp, sums, this.#signal)
    let taking: Promise<void> = Promise.resolve()
    for (const batch of batchesOf(missing)) {
      const [first] = batch
      this.#tell({ doing: `${first?.module}@${first?.version}` }, this.#totals)
      const downloaded = await downloads.get(batch).finally(() => taking)
      taking = this.#take(downloaded, sums)
      taking.catch(() => {}) // it is awaited with the next batch
    }
    await taking
  }

  async #take(downloaded: readonly Downloaded[], sums: GoSum): Promise<void> {
    const right: Extract<Downloaded, { zipHash: string }>[] = []
    await Promise.all(
      downloaded.map(async (one) => {
        const reason = 'reason' in one ? one.reason : await problemOf(this.#zips, one)
        const { module, version } = one.wanted
        if (reason !== undefined || 'reason' in one) return this.#fail(`${module}@${version}`, reason ?? '')
        const other =
          sums.add({ module, version, of: 'zip', hash: one.zipHash }) ??
          sums.add({ module, version, of: 'mod', hash: one.modHash })
        if (other === undefined) right.push(one)
        else
          this.#fail(`${module}@${version}`, `go got ${one.zipHash} and ${one.modHash}, go.sum says ${other}`)
      }),
    )
    if (right.length > 0) await this.#carried.writeSums(sums)
    for (const { wanted, files } of right) {
      const { module, version } = wanted
      this.#signal.throwIfAborted()
      await this.#carried.add(module, version, files)
      this.#totals.bytes += (await stat(files.zip)).size
      this.#totals.done++
      this.#tell({ doing: `${module}@${version}` }, this.#totals)
    }
  }
}

/** Toolchains are large: each comes alone. */
function* batchesOf(wanted: readonly Wanted[]): Generator<Wanted[]> {
  const modules = wanted.filter(({ module }) => module !== TOOLCHAIN_MODULE)
  for (let at = 0; at < modules.length; at += BATCH) yield modules.slice(at, at + BATCH)
  for (const one of wanted) if (one.module === TOOLCHAIN_MODULE) yield [one]
}
