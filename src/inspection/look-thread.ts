// A thread that looks at packages for the first time. It only reads, and tells what is right. What is not, the
// service's own thread looks at again in the package's queue.

import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { GenericVersion, Module, ModuleVersion } from '../layout.js'
import { readModuleZip } from '../modzip/read-zip.js'
import { ThreadStore } from '../store/thread-store.js'
import { databasePaths } from '../sumdb/paths.js'
import type { GoSums } from '../sumdb/record.js'
import type { Site } from '../views/page-addresses.js'
import { FileCheck, type Read } from './file-check.js'
import { REBUILD, type Finding, type PackageFindings, type Scope } from './finding.js'
import { inspectGenericPackage } from './generic-package.js'
import { inspectGenericVersion } from './generic-version.js'
import { recordProblem, recordsIn } from './lost-files.js'
import { inspectModule } from './module.js'
import type { Since } from './recent.js'
import { isRecordedAs } from './recorded-sums.js'
import { sampleOf, type SampleRequest } from './sample.js'
import { ZipReadings } from './zip-readings.js'

/** `data` is the data folder, absolute. `isQuiet`: everything else in the process goes first. */
export type LookOptions = {
  data: string
  site: Site
  readmeImages: boolean
  isQuiet: boolean
  since: Since
  /** With the number of all uploads. */
  sample: { request: SampleRequest; uploads: number } | undefined
}

/** What is looked at. `database` is the name of the owner's checksum database, where there is one. */
export type LookRequest =
  | { module: Module; database: string | undefined }
  | { version: GenericVersion }
  | { generic: Omit<GenericVersion, 'version'> }
  | { records: string; scope: Scope }

/** What was seen of a package. */
export type PackageLook = Read & { isRight: boolean; files: number; isUnchanged?: true }

/** `failed`: that could not be looked at here. `alive`: there is more to come. */
export type LookReply = { seen: PackageLook } | { wrong: string[] } | { failed: true } | { alive: true }

/** Bytes of central directory that a thread holds: a zip with more is read elsewhere, one at a time. */
const DIRECTORY_BYTES = 2 * 2 ** 20
const ALIVE_EVERY_MS = 2000
/** Of a folder with more records that are wrong, all are looked at again. */
const MOST_WRONG = 1000

const options = workerData as LookOptions
// On Linux it is that of this thread alone, on other systems that of the whole process.
if (options.isQuiet && process.platform === 'linux') setPriority(19)

let told = 0
function tellAlive(): void {
  const now = performance.now()
  if (now - told < ALIVE_EVERY_MS) return
  told = now
  const alive: LookReply = { alive: true }
  parentPort?.postMessage(alive)
}

const store = new ThreadStore(options.data, tellAlive)
const counted = { uploads: 0, read: 0, readBytes: 0 }
const { sample, since, site } = options
const check = new FileCheck(store, counted, sample && sampleOf(sample.request, sample.uploads))
const readings = new ZipReadings(store, {
  read: (path, { wantFacts } = {}) =>
    readModuleZip(path, {
      ...(wantFacts && { wantFacts }),
      readmeImages: options.readmeImages,
      mostDirectoryBytes: DIRECTORY_BYTES,
    }),
})

/** Why a version is not recorded is found at the second look. */
const UNRECORDED: Finding = { path: '', fault: 'it is not recorded', mend: REBUILD }

/** Tells whether versions are recorded with their sums in the database of this name. */
const sumsIn = (database: string | undefined) => ({
  async inspect(at: ModuleVersion, sums: GoSums): Promise<Finding[]> {
    if (database === undefined) return []
    const text = await store.read(databasePaths(at.owner, database).lookup(at))
    return isRecordedAs(text, at, sums) ? [] : [UNRECORDED]
  },
})

const comparing = { store, check, readings, site, since }

function inspectPackage(request: Exclude<LookRequest, { records: string }>): Promise<PackageFindings> {
  if ('module' in request)
    return inspectModule({ ...comparing, seen: sumsIn(request.database) }, request.module)
  if ('version' in request) return inspectGenericVersion(comparing, request.version)
  return inspectGenericPackage(comparing, request.generic)
}

async function look(request: LookRequest): Promise<LookReply> {
  if ('records' in request) return { wrong: await wrongRecords(request) }
  Object.assign(counted, { uploads: 0, read: 0, readBytes: 0 })
  const { findings, files, isUnchanged } = await inspectPackage(request)
  const isRight = findings.length === 0
  return { seen: { ...counted, isRight, files, ...(isUnchanged && { isUnchanged }) } }
}

async function wrongRecords({ records, scope }: { records: string; scope: Scope }): Promise<string[]> {
  const wrong: string[] = []
  for (const record of await recordsIn(store, records))
    if (await recordProblem(store, scope, record)) {
      if (wrong.length === MOST_WRONG) throw new Error('too many')
      wrong.push(record)
    }
  return wrong
}

parentPort?.on('message', async (request: LookRequest) => {
  const reply = await look(request).catch((): LookReply => ({ failed: true }))
  parentPort?.postMessage(reply)
})
