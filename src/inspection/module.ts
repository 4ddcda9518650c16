// A module held against its zips: what follows from them is derived again and compared, byte by byte.

import type { Stats } from 'node:fs'
import { modulePaths, versionFile, type Module, type ModuleVersion } from '../layout.js'
import { stray, type FileCheck } from './file-check.js'
import { REBUILD, type Finding } from './finding.js'
import type { Store } from '../store/store.js'
import { infoText } from '../go/artifacts.js'
import type { CheckPool } from '../modzip/check-pool.js'
import { escapePath, unescapePath } from '../gomod/module-path.js'
import { problemText } from '../gomod/problems.js'
import { versionOfZip } from '../go/known-versions.js'
import { orderVersions } from '../go/ordered-versions.js'
import { parseVersion } from '../gomod/semver.js'
import { planViews } from '../go/views.js'

/** A version as its zip says it should be; without `mod` its zip cannot be read, and its files are left as they are. */
type Known = { version: string; time: Date; mod?: Uint8Array }

export type ModuleInspection = { findings: Finding[]; files: number }

export function makeModuleInspector(store: Store, zips: CheckPool, check: FileCheck) {
  const readings = new Map<string, Awaited<ReturnType<CheckPool['read']>>>()

  async function readZip(path: string, status: Stats) {
    const key = `${path} ${status.ino} ${status.mtimeMs} ${status.size}`
    const reading = readings.get(key) ?? (await zips.read(store.at(path)))
    if (readings.size > 100) readings.clear()
    readings.set(key, reading)
    return reading
  }

  async function inspectZip(at: ModuleVersion, findings: Finding[]): Promise<Known | undefined> {
    const path = versionFile(at, 'zip')
    const status = await store.status(path)
    if (!status?.isFile()) {
      if (status) findings.push(stray(path))
      return undefined
    }
    findings.push(...(await check.uploaded(path, status, { op: 'publish', ...at })))
    const reading = await readZip(path, status)
    const named = reading.ok ? `${reading.zip.module}@${reading.zip.version}` : undefined
    if (reading.ok && named === `${at.module}@${at.version}`)
      return { version: at.version, time: status.mtime, mod: reading.zip.mod }
    findings.push({
      path,
      fault: reading.ok
        ? `it holds ${named}, not ${at.module}@${at.version}`
        : `go would refuse it: ${problemText(reading.problems).split('\n', 1)[0]}`,
      mend: 'restore it from a backup, or delete this version and publish it again',
    })
    return { version: at.version, time: status.mtime }
  }

  /** Compares a derived file with what it should be. */
  async function compare(path: string, content: Uint8Array, time?: Date): Promise<Finding[]> {
    const status = await store.status(path)
    const bytes = status?.isFile() ? await store.read(path) : undefined
    const repair = (): Promise<void> => store.write(path, content, time ? { time } : {})
    const found = (fault: string): Finding[] => [{ path, fault, mend: REBUILD, repair }]
    if (!status || !bytes) return found('it is missing')
    if (!bytes.equals(content)) return found('it is not what follows from the zips')
    if (time && Math.floor(status.mtimeMs / 1000) !== Math.floor(time.getTime() / 1000))
      return found("its time is not its zip's")
    const fault = await check.accessFault(status)
    return fault === undefined ? [] : found(fault)
  }

  async function compareLink(path: string, target: string, mended: boolean): Promise<Finding[]> {
    const [status, wanted] = [await store.status(path), await store.status(target)]
    const repair = (): Promise<void> => store.linkOver(target, path)
    const found = (fault: string): Finding[] => [{ path, fault, mend: REBUILD, repair }]
    if (mended) return found('its version has a file that is not right')
    if (!wanted || status?.ino === wanted.ino) return []
    if (!status?.isFile()) return found('it is missing')
    // a copy of the tree may have lost the hard links: the bytes count
    const same =
      status.size === wanted.size &&
      (await check.sha256Of(path, status)) === (await check.sha256Of(target, wanted))
    return same ? [] : found('it is not the file of the version that @latest names')
  }

  async function inspectViews(
    module: Module,
    known: readonly Known[],
    before: readonly Finding[],
  ): Promise<Finding[]> {
    const versions: string[] = []
    for (const { version, mod } of known) {
      const at = { ...module, version }
      const whole =
        mod ?? ((await store.exists(versionFile(at, 'mod'))) && (await store.exists(versionFile(at, 'info'))))
      if (whole) versions.push(version)
    }
    const ordered = orderVersions(versions)
    const { latest } = ordered
    const time = known.find(({ version }) => version === latest)?.time
    const info = latest !== undefined && time ? infoText(latest, time) : ''
    const plan = planViews(module, ordered, Buffer.from(info))
    const findings: Finding[] = []
    for (const { path, content } of plan.files) findings.push(...(await compare(path, content)))
    for (const { path, target } of plan.links) {
      const mended = before.some((finding) => finding.path === target && finding.repair && !finding.note)
      findings.push(...(await compareLink(path, target, mended)))
    }
    for (const path of plan.gone) {
      if (!(await store.exists(path))) continue
      const repair = async (): Promise<void> => void (await store.remove(path))
      findings.push({ path, fault: 'there is no version for it', mend: REBUILD, repair })
    }
    return findings
  }

  /** Everything that is wrong with a module. Repairs are in the order in which they keep readers right. */
  return async function inspectModule(module: Module): Promise<ModuleInspection> {
    const { versions: folder } = modulePaths(module)
    const names = await store.names(folder)
    const findings: Finding[] = []
    const known: Known[] = []
    for (const version of names.map(versionOfZip)) {
      const found = version === undefined ? undefined : await inspectZip({ ...module, version }, findings)
      if (!found) continue
      known.push(found)
      const at = { ...module, version: found.version }
      if (!found.mod) continue
      findings.push(...(await compare(versionFile(at, 'mod'), found.mod, found.time)))
      const info = Buffer.from(infoText(found.version, found.time))
      findings.push(...(await compare(versionFile(at, 'info'), info, found.time)))
    }
    findings.push(...(await inspectViews(module, known, findings)))
    const views = ['list', 'latest.zip', 'latest.mod', 'latest.info']
    const zipped = new Set(known.map(({ version }) => escapePath(version)))
    for (const name of names) {
      const [, stem = '', extension = ''] = /^(.*)\.(zip|mod|info)$/.exec(name) ?? []
      if (views.includes(name) || (zipped.has(stem) && extension !== '')) continue
      const path = `${folder}/${name}`
      const ofVersion = parseVersion(unescapePath(stem) ?? '') !== undefined
      if (!ofVersion) findings.push(stray(path))
      if (!ofVersion || extension === 'zip') continue
      findings.push({
        path,
        fault: 'its zip is gone: a version without it is none',
        mend: `restore the zip from a backup or publish it again; ${REBUILD} removes this file`,
        repair: async () => void (await store.remove(path)),
      })
    }
    return { findings, files: names.length }
  }
}
