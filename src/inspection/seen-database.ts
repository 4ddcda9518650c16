// An owner's checksum database as an inspection sees it: through the log of the running service, or by reading alone.

import type { Stats } from 'node:fs'
import { errno, messageOf, PLINTH } from '../errors.js'
import { folders, ownerFile } from '../layout.js'
import type { Store } from '../store/store.js'
import { DamagedLog } from '../sumdb/damaged-log.js'
import type { ChecksumDatabases, DatabaseStatus } from '../sumdb/databases.js'
import type { ChecksumLog } from '../sumdb/log.js'
import { parseSigner, type Signer } from '../sumdb/note.js'
import { statePaths } from '../sumdb/paths.js'
import { lookForEnd } from '../sumdb/recovery.js'
import { Timeline } from '../sumdb/timeline.js'
import { Truth, type LogPlace } from '../sumdb/truth.js'
import { REBUILD, type Finding } from './finding.js'

/** Where the databases are found. */
export type SeeingNeeds = {
  store: Store
  databases: Pick<ChecksumDatabases, 'logOf' | 'refusalOf' | 'statusOf'>
}

/** A database whose truth can be read. `log` is there when it records. */
export type SeenDatabase = {
  owner: string
  signer: Signer
  status: DatabaseStatus
  truth: Truth
  timeline: Timeline
  log: ChecksumLog | undefined
  /** Where it ends now. */
  end: () => LogPlace
  /** Runs `action` while nothing is recorded. */
  alone: <T>(action: () => Promise<T>) => Promise<T>
}

/** `database` is missing where there is none, and where its truth cannot be read. */
export type Seen = { database?: SeenDatabase; findings: Finding[] }

/** How a database is mended whose truth is lost in part. */
export const mendTruth = (owner: string): string =>
  `${PLINTH} sumdb recover ${owner} when the tree is newer, or ${PLINTH} sumdb rotate ${owner} with a new name`

/** Looks at the database of an owner. Changes nothing. */
export async function seeDatabase({ store, databases }: SeeingNeeds, owner: string): Promise<Seen> {
  const paths = statePaths(owner)
  if (!(await store.exists(paths.folder))) return { findings: [] }
  const findings = await closedFindings(store, owner)
  if (!(await store.exists(ownerFile(owner))))
    findings.push({
      path: paths.folder,
      fault: 'nobody declared this owner',
      mend: `${PLINTH} owner remove ${owner} --with-packages when it was to go, or ${PLINTH} owner add ${owner}`,
    })
  const key = (await store.read(paths.key))?.toString()
  const signer = parseSigner(key ?? '')
  if (!signer) {
    // The key comes last when a database is made: until then it says `enabling`.
    const isUnfinished = key === undefined && (await store.read(paths.status))?.toString() === 'enabling\n'
    const fault =
      key === undefined ? 'it is missing: nothing is recorded' : 'it is no key: nothing is recorded'
    if (!isUnfinished)
      findings.push({ path: paths.key, fault, mend: `restore it from a backup, or ${mendTruth(owner)}` })
    return { findings }
  }
  const status = (await databases.statusOf(owner)) ?? 'disabled'
  const refusal = databases.refusalOf(owner)
  const log = databases.logOf(owner)
  if (refusal !== undefined)
    findings.push({
      path: paths.folder,
      fault: `it records nothing: ${refusal}`,
      mend: log ? 'start the service again' : mendTruth(owner),
    })
  if (log) return { findings, database: withLog({ owner, signer, status }, log) }
  return refusal === undefined ? readAlone(store, { owner, signer, status }, findings) : { findings }
}

type Named = Pick<SeenDatabase, 'owner' | 'signer' | 'status'>

function withLog(named: Named, log: ChecksumLog): SeenDatabase {
  const end = (): LogPlace => log.place
  const { truth, signer } = log
  const timeline = new Timeline(truth, signer, end)
  return { ...named, truth, timeline, log, end, alone: (action) => log.alone(action) }
}

/** The database where no service records: it runs not, or the database is disabled. */
async function readAlone(store: Store, named: Named, findings: Finding[]): Promise<Seen> {
  const { owner, signer, status } = named
  const truth = new Truth(store, owner)
  const paths = statePaths(owner)
  try {
    const { place } = await lookForEnd({ store, owner, verifier: signer, truth })
    const left = [
      { path: paths.records, bytes: (await truth.records.size()) - (place.head?.bytes ?? 0) },
      { path: paths.heads, bytes: (await truth.heads.size()) - place.end },
    ]
    for (const { path, bytes } of left)
      if (bytes > 0 && status !== 'disabled')
        findings.push({
          path,
          fault: `a crash left ${bytes} bytes at its end`,
          mend: `npm start, or ${REBUILD}`,
        })
    const end = (): LogPlace => place
    const timeline = new Timeline(truth, signer, end)
    const alone = <T>(action: () => Promise<T>): Promise<T> => action()
    return { findings, database: { ...named, truth, timeline, log: undefined, end, alone } }
  } catch (error) {
    if (!(error instanceof DamagedLog) && errno(error) !== 'ENOENT') throw error
    const fault = error instanceof DamagedLog ? messageOf(error) : 'its records or its heads are missing'
    return { findings: [...findings, { path: paths.folder, fault, mend: mendTruth(owner) }] }
  }
}

const OTHERS = 0o077

/** Folders and files of the truth that others than the service's user may read or write. */
async function closedFindings(store: Store, owner: string): Promise<Finding[]> {
  const paths = statePaths(owner)
  const findings: Finding[] = []
  const tree = await store.status(folders.tree)
  for (const path of [folders.sumdb, paths.folder, paths.key, paths.records, paths.heads]) {
    const status = await store.status(path)
    if (!status) continue // that it is missing is told elsewhere
    const fault = openFault(status, tree)
    if (fault === undefined) continue
    const leaked =
      path === paths.key ? `; who may have read it can sign: ${PLINTH} sumdb rotate ${owner}` : ''
    findings.push({
      path,
      fault,
      mend: `chown and chmod it: ${status.isDirectory() ? '700' : '600'}${leaked}`,
    })
  }
  return findings
}

function openFault(status: Stats, tree: Stats | undefined): string | undefined {
  if (!status.isDirectory() && !status.isFile()) return 'it is neither a file nor a folder'
  if (tree && status.uid !== tree.uid) return `it belongs to user ${status.uid}, the tree to user ${tree.uid}`
  return (status.mode & OTHERS) === 0 ? undefined : "others than the service's user may use it"
}
