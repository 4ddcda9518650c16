// A module with versions as if they had been published: every file is there, each with its own bytes, and `verify` finds
// nothing. Written without the service and without a sync.

import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { infoText } from '../../src/go/artifacts.js'
import { deriveIndex } from '../../src/go/facts.js'
import { orderVersions } from '../../src/go/ordered-versions.js'
import { planViews, versionPages } from '../../src/go/views.js'
import { hash1 } from '../../src/gomod/dirhash.js'
import { moduleViews, sumFile, versionFile, type Module } from '../../src/layout.js'
import { readModuleZip } from '../../src/modzip/read-zip.js'
import type { ModuleVersionFacts } from '../../src/views/facts.js'
import { entryOf, noticesOf, parseVersionFacts, versionText } from '../../src/views/module-index.js'
import { rawZip } from '../../test/support/raw-zip.js'

/** The n-th module of a large tree. */
export const moduleAt = (n: number): Module => ({
  owner: 'admin',
  module: `example.com/group${n % 97}/m${n}`,
})

/** How many modules with how many versions each, 90 at most. `begun` is when the first was published, in seconds. */
export type TreeShape = { modules: number; versions: number; begun: number }

/** When the versions of the n-th module were published. */
export const timeOf = ({ begun }: TreeShape, nthModule: number): Date => new Date((begun + nthModule) * 1000)

/** The n-th version of a module of a large tree. All are of the same length. */
export const versionOf = (n: number): string => `v1.${n + 10}.0`

const SITE = { publicUrl: undefined, importPrefixes: [] }

type Entry = { file: string; content: string; sha256: string }

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

const hashOf = (prefix: string, entries: readonly Entry[]): string =>
  hash1(entries.map(({ file, sha256: sum }) => ({ name: Buffer.from(`${prefix}/${file}`), sha256: sum })))

/** The files of one version. All versions of a module are made of those of its first: what differs is replaced. */
type VersionFiles = { version: string; h1: string; sha256: string; zip: Buffer; json: string; page: string }

/** A text of `of`, as another version would have it. */
const as = (
  text: string,
  of: VersionFiles,
  { version, h1, sha256: sum }: Omit<VersionFiles, 'json' | 'page'>,
): string => text.replaceAll(of.version, version).replaceAll(of.h1, h1).replaceAll(of.sha256, sum)

/** The first version of the module, as the service makes its files of the zip. `temp` is the path of a free file. */
async function firstOf(
  module: Module,
  time: Date,
  temp: string,
  entries: readonly Entry[],
): Promise<VersionFiles> {
  const at = { ...module, version: versionOf(0) }
  const prefix = `${at.module}@${at.version}`
  const zip = rawZip(entries.map(({ file, content }) => ({ name: `${prefix}/${file}`, content, method: 0 })))
  writeFileSync(temp, zip)
  const reading = await readModuleZip(temp, { wantFacts: true })
  if (!reading.ok || reading.facts === undefined) throw new Error(JSON.stringify(reading))
  const upload = { sha256: sha256(zip), size: zip.length }
  const json = versionText({ ...at, time, ...upload }, reading.facts)
  const facts = factsIn(json)
  const page = versionPages(noticesOf(facts), SITE)(facts).toString()
  return { version: at.version, h1: reading.zip.zipHash, sha256: upload.sha256, zip, json, page }
}

function factsIn(json: string): ModuleVersionFacts {
  const facts = parseVersionFacts(json)
  if (!facts) throw new Error(`no facts: ${json}`)
  return facts
}

function writeWithTime(path: string, content: string | Buffer, time: Date): void {
  writeFileSync(path, content)
  utimesSync(path, time, time)
}

/** Writes the n-th module of a tree below `data`. `temp` is the path of a file that may be written meanwhile. */
export async function writeModule(data: string, shape: TreeShape, nth: number, temp: string): Promise<void> {
  const module = moduleAt(nth)
  const views = moduleViews(module)
  const at = (path: string): string => join(data, path)
  const mod = `module ${module.module}\n\ngo 1.19\n`
  const contents = { 'go.mod': mod, 'm.go': '// Package m is one of many.\npackage m\n' }
  const entries = Object.entries(contents).map(([file, content]) => ({
    file,
    content,
    sha256: sha256(content),
  }))
  const time = timeOf(shape, nth)
  const first = await firstOf(module, time, temp, entries)
  for (const path of [versionFile({ ...module, version: first.version }, 'zip'), views.index])
    mkdirSync(at(dirname(path)), { recursive: true })
  const all: ModuleVersionFacts[] = []
  for (let n = 0; n < shape.versions; n++) {
    const version = { ...module, version: versionOf(n) }
    const zip = Buffer.from(first.zip.toString('latin1').replaceAll(first.version, version.version), 'latin1')
    const sums = { h1: hashOf(`${module.module}@${version.version}`, entries), sha256: sha256(zip) }
    const own = { version: version.version, zip, ...sums }
    writeWithTime(at(versionFile(version, 'zip')), zip, time)
    writeWithTime(at(versionFile(version, 'mod')), mod, time)
    writeWithTime(at(versionFile(version, 'info')), infoText(version.version, time), time)
    const record = JSON.stringify({ op: 'publish', ...version, sha256: sums.sha256, size: zip.length })
    writeFileSync(at(sumFile(versionFile(version, 'zip'))), record, { mode: 0o600 })
    const json = as(first.json, first, own)
    writeFileSync(at(views.facts(version.version)), json)
    writeFileSync(at(views.versionPage(version.version)), as(first.page, first, own))
    all.push(factsIn(json))
  }
  await writeViews(data, module, all)
}

/** Writes what follows from all versions together. `all` are in their order. */
async function writeViews(data: string, module: Module, all: readonly ModuleVersionFacts[]): Promise<void> {
  const at = (path: string): string => join(data, path)
  const ordered = orderVersions(all.map(({ version }) => version))
  const last = all.at(-1)
  if (!last) return
  const entries = new Map(all.map((one) => [one.version, entryOf(one)]))
  const factsOf = async (): Promise<ModuleVersionFacts> => last // nothing is retracted
  const derived = await deriveIndex(module, { ...ordered, latest: last.version }, entries, factsOf)
  const info = Buffer.from(infoText(last.version, new Date(last.time)))
  const plan = planViews(module, ordered, info, derived, SITE)
  for (const { path, content } of plan.files) writeFileSync(at(path), content)
  for (const { path, target } of plan.links) linkSync(at(target), at(path))
}
