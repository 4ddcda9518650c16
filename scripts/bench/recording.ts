// What a checksum database costs: publishing beside it, and starting with it.

import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Growth, type DatabaseFile } from '../../src/sumdb/growth.js'
import { headLine } from '../../src/sumdb/heads-file.js'
import { parseSigner, signatureOf } from '../../src/sumdb/note.js'
import { databasePaths, statePaths } from '../../src/sumdb/paths.js'
import { recordText } from '../../src/sumdb/record.js'
import { latestFile, lookupFile } from '../../src/sumdb/truth.js'
import { DATABASE, makeDatabase, someSums } from '../../test/support/checksum-database.js'
import { askService, newData, runService, type Service } from '../../test/support/service.js'
import { simpleModule } from '../../test/support/zips.js'
import { forgetPeak, peakOf } from './processes.js'
import { inTurns, timed, type Bench, type Row, type Scale } from './row.js'

/** Records in a commit. */
const GROUP = 256
const PUBLISHERS = 32

const nth = (n: number) => ({ module: `example.com/group${n % 97}/m${n}`, version: 'v1.0.0' })

/** Writes files of the database in the tree, in folders that are made when they are missing. */
function writerIn(folder: string) {
  const made = new Set<string>()
  const at = (path: string): string => {
    const to = join(folder, path)
    if (!made.has(dirname(to))) mkdirSync(dirname(to), { recursive: true })
    made.add(dirname(to))
    return to
  }
  return {
    write: ({ path, content }: DatabaseFile): void => writeFileSync(at(path), content),
    link: (from: DatabaseFile, to: DatabaseFile): void => linkSync(at(from.path), at(to.path)),
  }
}

/**
 * Makes a database with so many records, as if they had been published. Lookups of one commit are names of one file,
 * but for those of the last: nobody reads what they say.
 */
function fillDatabase(data: string, count: number): void {
  const paths = statePaths('admin')
  const signer = parseSigner(readFileSync(join(data, paths.key), 'utf8'))
  if (!signer) throw new Error('the key is damaged')
  const { write, link } = writerIn(join(data, databasePaths('admin', DATABASE).folder))
  const growth = new Growth()
  const [records, heads]: [string[], string[]] = [[], []]
  let bytes = 0
  while (growth.size < count) {
    const before = growth.size
    const end = Math.min(count, before + GROUP)
    const lookups: DatabaseFile[] = []
    for (let n = before; n < end; n++) {
      const record = recordText(nth(n), someSums(String(n)))
      records.push(`${record}\n`)
      bytes += record.length + 1
      lookups.push(lookupFile(n, record, 'of a benchmark'))
      growth.append(record).forEach(write)
    }
    growth.partials(before).forEach(write)
    const unsigned = { size: growth.size, root: growth.root() }
    const head = { ...unsigned, bytes, signature: signatureOf(signer, unsigned) }
    heads.push(headLine(head))
    const [first, ...others] = lookups
    if (first) write(first)
    for (const lookup of others) {
      if (first && end < count) link(first, lookup)
      else write(lookup)
    }
    if (end === count) write(latestFile(signer, head))
  }
  const partial = growth.partialData()
  if (partial) write(partial)
  writeFileSync(join(data, paths.records), records.join(''))
  writeFileSync(join(data, paths.heads), heads.join(''))
}

/** A data folder whose owner has a database with so many records, or none. */
async function dataWith(records: number | undefined): Promise<string> {
  const data = await newData()
  if (records === undefined) return data
  await makeDatabase(data)
  fillDatabase(data, records)
  return data
}

let made = 0

/** The zip of a module that nobody has published. */
const newZip = (): Promise<Buffer> => simpleModule(`example.com/new${made % 97}/m${made++}`, 'v1.0.0')

async function publish(data: string, zip: Buffer): Promise<void> {
  const { status, body } = await askService(data, 'PUT', '/api/packages/admin/go/upload', zip)
  if (status !== 201) throw new Error(`a publish was answered with ${status}: ${body}`)
}

async function publishOne(data: string): Promise<number> {
  const zip = await newZip()
  return timed(() => publish(data, zip))
}

/** Publishes by many at once, `each` so many, and gives how many there were a second. */
async function publishMany(data: string, each: number): Promise<number> {
  const zips = await Promise.all(Array.from({ length: PUBLISHERS * each }, newZip))
  const ms = await timed(() =>
    Promise.all(
      Array.from({ length: PUBLISHERS }, async () => {
        for (let zip = zips.pop(); zip; zip = zips.pop()) await publish(data, zip)
      }),
    ),
  )
  return (1000 * PUBLISHERS * each) / ms
}

/** From the start of the service to its being ready. */
async function startWith(data: string): Promise<number> {
  let service: Service | undefined
  const ms = await timed(async () => {
    service = runService(data)
    await service.ready()
  })
  await service?.end('SIGTERM')
  return ms
}

export const recording: Bench = {
  name: 'recording',
  what: 'publishing into an owner with a checksum database of 10, 10,000 and 100,000 records, and without',
  needs: [],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const many = [10, size(10_000, 600), size(100_000, 1200)] as const
    const folders = await Promise.all([undefined, ...many].map(dataWith))
    const [without = '', few = '', some = '', all = ''] = folders
    const starts = await inTurns(rounds(9), { few: () => startWith(few), all: () => startWith(all) })
    const services = folders.map((data) => runService(data))
    for (const service of services) await service.ready()
    const largest = services.at(-1)?.pid ?? 0
    forgetPeak(largest)
    const found = await inTurns(rounds(61), {
      without: () => publishOne(without),
      few: () => publishOne(few),
      some: () => publishOne(some),
      all: () => publishOne(all),
    })
    const each = size(4, 2)
    const crowd = await inTurns(rounds(7), {
      without: () => publishMany(without, each),
      few: () => publishMany(few, each),
    })
    const peak = peakOf(largest)
    for (const service of services) await service.end('SIGTERM')
    const counted = (n: number): string => `${n.toLocaleString('en')} records`
    const name = 'publish into an owner with a checksum database of'
    const first = { name: `${name} ${counted(many[0])}`, unit: 'ms', ours: found.few }
    yield { ...first, base: found.without, baseName: 'without one', goal: '≤ 1.5' }
    const flat = { unit: 'ms', base: found.few, baseName: `of ${counted(many[0])}` }
    yield { ...flat, name: `${name} ${counted(many[1])}`, ours: found.some }
    yield { ...flat, ...peak, name: `${name} ${counted(many[2])}`, ours: found.all, goal: '≤ 1.1' }
    yield {
      name: `publishes of ${PUBLISHERS} at once into an owner with a checksum database`,
      unit: '/s',
      ours: crowd.few,
      base: crowd.without,
      baseName: 'without one',
      goal: '≥ 0.7',
    }
    yield {
      name: `start with a checksum database of ${counted(many[2])}`,
      unit: 'ms',
      ours: starts.all,
      base: starts.few,
      baseName: `of ${counted(many[0])}`,
      goal: '≤ 1.1',
    }
  },
}
