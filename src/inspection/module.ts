// Inspects a module: derives everything again from its zips, and compares it byte by byte.

import { infoText } from '../go/artifacts.js'
import { versionOfZip } from '../go/known-versions.js'
import { highestFirst, orderVersions, type OrderedVersions } from '../go/ordered-versions.js'
import { deriveIndex, type DerivedIndex } from '../go/facts.js'
import { planViews } from '../go/views.js'
import { escapePath, unescapePath } from '../gomod/module-path.js'
import { problemText } from '../gomod/problems.js'
import { parseVersion } from '../gomod/semver.js'
import {
  extensions,
  modulePaths,
  moduleViews,
  versionFile,
  type Module,
  type ModuleVersion,
} from '../layout.js'
import { readModuleFacts } from '../packages/published.js'
import type { ModuleVersionFacts, VersionEntry } from '../views/facts.js'
import { entryOf, MOST_ENTRIES, parseVersionFacts, versionText } from '../views/module-index.js'
import type { Site } from '../views/page-addresses.js'
import { compareContent, compareLink, compareSum, type Comparing } from './derived-files.js'
import { REBUILD, stray, type Finding, type PackageFindings } from './finding.js'
import { inspectModuleViewNames, inspectPages } from './module-views.js'
import { isRecentModule, isRecentVersion, type Since } from './recent.js'
import type { SeenDatabases } from './recorded-sums.js'
import { agreeingFacts } from './unread-version.js'
import type { ZipReadings } from './zip-readings.js'

type Inspecting = Comparing & {
  readings: ZipReadings
  seen: Pick<SeenDatabases, 'inspect'>
  site: Site
  since: Since
}

/**
 * A version that has a zip. One that is not `readable` has its other files left as they are. `entry` is what the
 * module's index says of it. The zip of one that is `unread` was not in the sample, and its JSON stands for it. One
 * that is `unchanged` was not looked at, and its files are taken for right.
 */
type Known = {
  version: string
  time: Date
  readable: boolean
  unread?: true
  unchanged?: true
  entry?: VersionEntry
}

/** Everything that is wrong with a module. Repairs are in the order in which readers see no half-made version. */
export async function inspectModule(inspecting: Inspecting, module: Module): Promise<PackageFindings> {
  const { store, since } = inspecting
  const names = await store.names(modulePaths(module).versions)
  const findings: Finding[] = []
  const known: Known[] = []
  for (const version of names.map(versionOfZip)) {
    if (version === undefined) continue
    const found = await inspectVersion(inspecting, { ...module, version })
    findings.push(...found.findings)
    if (found.known) known.push(found.known)
  }
  const isRecent = known.some(({ unchanged }) => !unchanged) || (await isRecentModule(store, since, module))
  if (!isRecent && findings.length === 0) return { findings, files: 0, isUnchanged: true }
  findings.push(...(await inspectViews(inspecting, module, known, findings)))
  findings.push(...inspectNames(inspecting, module, names, known))
  findings.push(
    ...(await inspectModuleViewNames(
      store,
      module,
      known.map(({ version }) => version),
    )),
  )
  return { findings, files: names.length }
}

/** Inspects the three files of a version that has a zip. */
async function inspectVersion(
  inspecting: Inspecting,
  at: ModuleVersion,
): Promise<{ findings: Finding[]; known?: Known }> {
  const { store, check, readings, seen, since } = inspecting
  const path = versionFile(at, 'zip')
  const status = await store.status(path)
  if (!status) return { findings: [] }
  if (!status.isFile()) return { findings: [stray(path)] }
  if (!(await isRecentVersion(store, since, at))) {
    const unchanged = { unread: true, unchanged: true } as const
    return { findings: [], known: { version: at.version, time: status.mtime, readable: true, ...unchanged } }
  }
  const { findings, sha256, time } = await check.uploaded(path, status, { op: 'publish', ...at })
  const known = { version: at.version, time, readable: false }
  if (!check.isRead(path) && findings.length === 0) {
    const facts = await agreeingFacts(inspecting, at, { time, size: status.size, sha256 })
    if (facts) {
      const recorded = await seen.inspect(at, { zip: facts.h1, mod: facts.goModH1 })
      return { findings: recorded, known: { ...known, readable: true, unread: true, entry: entryOf(facts) } }
    }
  }
  const reading = await readings.read(path, status)
  const named = reading.ok ? `${reading.zip.module}@${reading.zip.version}` : undefined
  if (!reading.ok || named !== `${at.module}@${at.version}`) {
    const fault = reading.ok
      ? `it holds ${named}, not ${at.module}@${at.version}`
      : `go would refuse it: ${problemText(reading.problems).split('\n', 1)[0]}`
    const mend = 'restore it from a backup, or delete this version and publish it again'
    return { findings: [...findings, { path, fault, mend }], known }
  }
  const mod = {
    sum: reading.zip.mod,
    time,
    repair: () => readings.writeGoMod(at, time),
  }
  const info = Buffer.from(infoText(at.version, time))
  findings.push(...(await compareSum(inspecting, versionFile(at, 'mod'), mod)))
  findings.push(...(await compareContent(inspecting, versionFile(at, 'info'), info, time)))
  const upload = { time, size: status.size, sha256 }
  const facts = versionText({ ...at, ...upload }, reading.facts ?? '{}')
  findings.push(...(await compareContent(inspecting, moduleViews(at).facts(at.version), Buffer.from(facts))))
  findings.push(...(await seen.inspect(at, { zip: reading.zip.zipHash, mod: reading.zip.modHash })))
  const parsed = parseVersionFacts(facts)
  return { findings, known: { ...known, readable: true, ...(parsed && { entry: entryOf(parsed) }) } }
}

/** The facts of a version, from its zip when that is readable. */
async function factsOf(
  { store, readings }: Inspecting,
  at: ModuleVersion,
  known?: Known,
): Promise<ModuleVersionFacts | undefined> {
  const path = versionFile(at, 'zip')
  const status = await store.status(path)
  if (!known?.entry || known.unread || !status) return readModuleFacts(store, at)
  const reading = await readings.read(path, status)
  if (!reading.ok) return undefined
  const upload = { time: known.time, size: status.size, sha256: known.entry.sha256 }
  return parseVersionFacts(versionText({ ...at, ...upload }, reading.facts ?? '{}'))
}

/** Inspects `list`, `@latest` and `latest.*`. `before` are the findings of the versions. */
async function inspectViews(
  inspecting: Inspecting,
  module: Module,
  known: readonly Known[],
  before: readonly Finding[],
): Promise<Finding[]> {
  const { store } = inspecting
  const ordered = orderVersions(await wholeVersions(inspecting, module, known))
  const { latest } = ordered
  const time = known.find(({ version }) => version === latest)?.time
  const info = latest !== undefined && time ? infoText(latest, time) : ''
  const derived = await inspectIndex(inspecting, module, ordered, known)
  const plan = planViews(module, ordered, Buffer.from(info), derived, inspecting.site)
  const findings = derived
    ? await inspectPages(
        inspecting,
        module,
        derived.index,
        known.filter(({ unchanged }) => !unchanged).map(({ version }) => version),
        before,
      )
    : []
  for (const { path, content } of plan.files)
    findings.push(...(await compareContent(inspecting, path, content)))
  for (const { path, target } of plan.links) {
    // A zip keeps its links when it gets its time again. What is written anew does not.
    const isReplaced = ({ path: wrong, repair, note }: Finding): boolean =>
      wrong === target && repair !== undefined && !note && !target.endsWith('.zip')
    const targetIsWrong = before.some(isReplaced)
    findings.push(...(await compareLink(inspecting, path, target, targetIsWrong)))
  }
  for (const path of plan.gone) {
    if (!(await store.exists(path))) continue
    const repair = async (): Promise<void> => void (await store.remove(path))
    findings.push({ path, fault: 'there is no version for it', mend: REBUILD, repair })
  }
  return findings
}

/** The index that a module with these versions should have. */
async function inspectIndex(
  inspecting: Inspecting,
  module: Module,
  ordered: OrderedVersions,
  known: readonly Known[],
): Promise<DerivedIndex | undefined> {
  const { latest } = ordered
  if (latest === undefined) return undefined
  const byVersion = new Map(known.map((version) => [version.version, version]))
  const entries = new Map<string, VersionEntry>()
  for (const version of highestFirst(ordered).slice(0, MOST_ENTRIES)) {
    const found = byVersion.get(version)?.entry ?? (await readEntry(inspecting, { ...module, version }))
    if (found) entries.set(version, found)
  }
  return deriveIndex(module, { ...ordered, latest }, entries, (version) =>
    factsOf(inspecting, { ...module, version }, byVersion.get(version)),
  )
}

async function readEntry({ store }: Inspecting, at: ModuleVersion): Promise<VersionEntry | undefined> {
  const facts = await readModuleFacts(store, at)
  return facts && entryOf(facts)
}

/** The versions that have all their files, or get them by a repair. */
async function wholeVersions(
  { store }: Inspecting,
  module: Module,
  known: readonly Known[],
): Promise<string[]> {
  const versions: string[] = []
  for (const { version, readable } of known) {
    const at = { ...module, version }
    const whole =
      readable ||
      ((await store.exists(versionFile(at, 'mod'))) && (await store.exists(versionFile(at, 'info'))))
    if (whole) versions.push(version)
  }
  return versions
}

/** Finds the files beside the zips that are neither of a version with a zip nor a view. */
function inspectNames(
  { store }: Inspecting,
  module: Module,
  names: readonly string[],
  known: readonly Known[],
): Finding[] {
  const { versions: folder, list, latestFile } = modulePaths(module)
  const views = [list, ...extensions.map(latestFile)]
  const zipped = new Set(known.map(({ version }) => escapePath(version)))
  const findings: Finding[] = []
  for (const name of names) {
    const path = `${folder}/${name}`
    const [, stem = '', extension = ''] = /^(.*)\.(zip|mod|info)$/.exec(name) ?? []
    if (views.includes(path) || (zipped.has(stem) && extension !== '')) continue
    const ofVersion = parseVersion(unescapePath(stem) ?? '') !== undefined
    if (!ofVersion) findings.push(stray(path))
    if (!ofVersion || extension === 'zip') continue
    findings.push({
      path,
      fault: 'its zip is gone: without it there is no version',
      mend: `restore the zip from a backup or publish it again; ${REBUILD} removes this file`,
      repair: async () => void (await store.remove(path)),
    })
  }
  return findings
}
