// Compares the files of a checksum database with what follows from its records, some at a time. A file that is wrong is
// looked at again while nothing is recorded: a commit that was under way is not a fault. It is mended then, too.

import { messageOf } from '../errors.js'
import { readEach } from '../store/read-each.js'
import type { Store } from '../store/store.js'
import { writeFiles } from '../sumdb/restore-files.js'
import { databasePaths } from '../sumdb/paths.js'
import type { FileCheck } from './file-check.js'
import { REBUILD, type Fault, type Finding } from './finding.js'
import type { Reporter } from './reporter.js'
import type { SeenDatabase } from './seen-database.js'

/** What comparing the files of a database needs. */
export type DatabaseComparing = { store: Store; check: FileCheck; reporter: Reporter }

/**
 * A file of a database as it should be: `path` is below the database, `content` what is written when it is wrong.
 * `isRight` decides where several contents are right. `isNeeded`: whether a log that has grown has it still.
 */
export type ExpectedFile = {
  path: string
  content: () => Buffer
  isRight?: (present: Buffer) => Promise<boolean>
  isNeeded?: (isThere: boolean) => boolean
}

/** Files that are looked at together. */
const AT_ONCE = 64

/** What was found of some files. `wrong` are their paths below the data folder. */
type Compared = { faults: Fault[]; wrong: string[] }

/** Compares the files, and yields the faults of each few. */
export async function* compareFiles(
  comparing: DatabaseComparing,
  database: SeenDatabase,
  files: AsyncIterable<ExpectedFile> | Iterable<ExpectedFile>,
): AsyncGenerator<Compared> {
  let batch: ExpectedFile[] = []
  for await (const file of files) {
    batch.push(file)
    if (batch.length < AT_ONCE) continue
    yield await compareBatch(comparing, database, batch)
    batch = []
  }
  if (batch.length > 0) yield await compareBatch(comparing, database, batch)
}

async function compareBatch(
  comparing: DatabaseComparing,
  database: SeenDatabase,
  batch: readonly ExpectedFile[],
): Promise<Compared> {
  const { store, reporter } = comparing
  reporter.totals.files += batch.length
  const { folder } = databasePaths(database.owner, database.signer.name)
  const look = (file: ExpectedFile): Promise<string | undefined> => faultOf(comparing, folder, file)
  const first = await readEach(batch, look)
  const wrong = batch.filter((_, at) => first[at] !== undefined)
  if (wrong.length === 0) return { faults: [], wrong: [] }
  return database.alone(async () => {
    const again = await readEach(wrong, look)
    const left = wrong.filter(
      ({ isNeeded = () => true }, at) => again[at] !== undefined && isNeeded(again[at] !== MISSING),
    )
    let written: Promise<number> | undefined
    const repair = async (): Promise<void> => void (await (written ??= writeAnew(store, folder, left)))
    const findings = left.map((file): Finding => ({
      path: `${folder}/${file.path}`,
      fault: again[wrong.indexOf(file)] ?? '',
      mend: REBUILD,
      repair,
    }))
    return { faults: await reporter.report(findings), wrong: findings.map(({ path }) => path) }
  })
}

async function writeAnew(store: Store, folder: string, files: readonly ExpectedFile[]): Promise<number> {
  for (const { path } of files)
    if ((await store.status(`${folder}/${path}`))?.isDirectory())
      await store.removeFolder(`${folder}/${path}`)
  return writeFiles(
    { store, folder, isRight: () => false },
    files.map(({ path, content }) => ({ path, content: content() })),
  )
}

const MISSING = 'it is missing'

async function faultOf(
  { store, check }: DatabaseComparing,
  folder: string,
  file: ExpectedFile,
): Promise<string | undefined> {
  const path = `${folder}/${file.path}`
  const status = await store.status(path)
  if (!status?.isFile()) return MISSING
  try {
    const present = await store.read(path)
    if (!present) return MISSING
    const isRight = file.isRight ? await file.isRight(present) : present.equals(file.content())
    if (!isRight) return 'it is not what follows from the records of the database'
  } catch (error) {
    return `it cannot be read: ${messageOf(error)}`
  }
  return check.accessFault(status)
}
