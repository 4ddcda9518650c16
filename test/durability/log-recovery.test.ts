// What a power cut or a kill may leave of the files of a log, at sizes around full tiles: nothing that was shown is
// contradicted, nothing that was acknowledged is lost, nothing is recorded twice.
//
// The states are made of the files before a commit and those after it. PLINTH_TEST_LOG_STATES=all looks at more sizes.

import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { databasePaths, statePaths } from '../../src/sumdb/paths.js'
import {
  DATABASE,
  databaseProblems,
  makeDatabase,
  openDatabases,
  shownHeads,
} from '../support/checksum-database.js'
import { memoryFolder } from '../support/temp-folder.js'

const state = statePaths('admin')
const tree = databasePaths('admin', DATABASE).folder

/** path → content, of all files of the database. The folder `copy` has them, too. */
type Snapshot = { copy: string; files: Map<string, Buffer> }

const base = memoryFolder()
let copies = 0

function filesOf(data: string): string[] {
  return [state.folder, tree].flatMap((folder) =>
    existsSync(join(data, folder))
      ? readdirSync(join(data, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(data.length + 1))
      : [],
  )
}

function snapshot(data: string): Snapshot {
  const copy = join(base, `snapshot${copies++}`)
  const files = new Map<string, Buffer>()
  for (const path of filesOf(data)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    copyFileSync(join(data, path), join(copy, path))
    files.set(path, readFileSync(join(data, path)))
  }
  return { copy, files }
}

/** A data folder that has the files of a snapshot, but for those that are changed. */
function folderWith({ copy, files }: Snapshot, changes: Map<string, Buffer | undefined>): string {
  const data = join(base, `data${copies++}`)
  for (const folder of ['state/tmp', 'tree']) mkdirSync(join(data, folder), { recursive: true })
  const made = new Set<string>()
  for (const path of new Set([...files.keys(), ...changes.keys()])) {
    const content = changes.has(path) ? changes.get(path) : files.get(path)
    if (!content) continue
    const to = join(data, path)
    if (!made.has(dirname(to))) mkdirSync(dirname(to), { recursive: true })
    made.add(dirname(to))
    // what is in the tree is replaced, never written into
    if (path.startsWith(tree) && !changes.has(path)) linkSync(join(copy, path), to)
    else writeFileSync(to, content)
  }
  return data
}

/** What of a file may be on the disk whose end was being written. */
function tornEnds(before: Buffer, after: Buffer): Record<string, Buffer> {
  const cuts = [
    before.length,
    before.length + 1,
    Math.floor((before.length + after.length) / 2),
    after.length - 1,
  ]
  const torn: Record<string, Buffer> = { whole: after }
  for (const cut of cuts) {
    torn[`cut at ${cut - before.length}`] = after.subarray(0, cut)
    torn[`zeros from ${cut - before.length}`] = Buffer.concat([
      after.subarray(0, cut),
      Buffer.alloc(after.length - cut),
    ])
  }
  torn['zeros at first'] = Buffer.concat([
    before,
    Buffer.alloc(after.length - before.length - 1),
    after.subarray(-1),
  ])
  return torn
}

/**
 * `acknowledged`: records that are there in any case. `most`: those that may be. `refused`: what is said instead, when
 * it cannot be mended. `isClose`: it is also recorded into.
 */
type Expected = { acknowledged: number; most: number; refused?: RegExp; isClose?: boolean }

/** Opens a state, looks at it, records two versions more, and looks again. */
async function lookAt(
  t: Test,
  what: string,
  from: Snapshot,
  changes: Map<string, Buffer | undefined>,
  { acknowledged, most, refused, isClose = true }: Expected,
): Promise<void> {
  const data = folderWith(from, changes)
  const seen = refused ? new Map<number, string>() : shownHeads(data)
  const opened = await openDatabases(data)
  const refusal = opened.databases.refusalOf('admin')
  if (refused) {
    const now = new Map(filesOf(data).map((path) => [path, readFileSync(join(data, path))]))
    t.match(refusal ?? '', refused, what)
    await t.rejects(opened.record(most), { status: 503, message: refused }, what)
    for (const [path, content] of now)
      if (!readFileSync(join(data, path)).equals(content)) t.fail(`${what}: ${path} was changed`)
  } else {
    const size = opened.log()?.size ?? -1
    const problems = refusal === undefined ? databaseProblems(data, 'admin', seen) : [refusal]
    if (size < acknowledged) problems.push(`${acknowledged} records were acknowledged, and there are ${size}`)
    if (size !== acknowledged && size !== most) problems.push(`a commit is there by half: ${size}`)
    if (problems.length === 0 && isClose) {
      // those of the commit again: each is there once. And one that is new
      await Promise.all(
        Array.from({ length: most - acknowledged + 1 }, (_, n) => opened.record(acknowledged + n)),
      )
      problems.push(...databaseProblems(data, 'admin', seen))
      if (opened.log()?.size !== most + 1)
        problems.push(`${opened.log()?.size} records instead of ${most + 1}`)
      const again = await openDatabases(data)
      if (again.said.length > 0) problems.push(`not in order when it is opened again: ${again.said.join()}`)
    }
    if (problems.length > 0) t.same(problems, [], what)
  }
  rmSync(data, { recursive: true })
}

/** The records of a log grow to `size` in commits of several sizes. */
async function growTo(data: string, size: number): Promise<void> {
  const { record, log } = await openDatabases(data)
  for (let n = log()?.size ?? 0, group = 1; n < size; n += group, group = (group * 5) % 97) {
    group = Math.min(group, size - n)
    await Promise.all(Array.from({ length: group }, (_, nth) => record(n + nth)))
  }
}

const ALL = process.env['PLINTH_TEST_LOG_STATES'] === 'all'
/** Records before a commit, and those of it. At larger sizes each state takes its time. */
const COMMITS = [0, 1, 7, 254, 255, 256, 511, 512, 513]
  .flatMap((size) => [1, 3].map((batch) => [size, batch] as const))
  .filter(
    ([size, batch]) => ALL || size < 10 || ['254 3', '255 1', '256 1', '511 3'].includes(`${size} ${batch}`),
  )

const readState = ({ files }: Snapshot): { records: Buffer; heads: Buffer } => ({
  records: files.get(state.records) ?? Buffer.alloc(0),
  heads: files.get(state.heads) ?? Buffer.alloc(0),
})

type Commit = { size: number; batch: number; before: Snapshot; after: Snapshot }

async function* commits(wanted: readonly (readonly [number, number])[]): AsyncGenerator<Commit> {
  const data = join(base, `growing${copies++}`)
  await makeDatabase(data)
  for (const [size, batch] of wanted) {
    await growTo(data, size)
    const before = snapshot(data)
    yield { size, batch, before, after: await grown(before, size, batch) }
  }
}

/** A snapshot with records more; `what` is their content. */
async function grown(from: Snapshot, size: number, batch: number, what?: string): Promise<Snapshot> {
  const data = folderWith(from, new Map())
  const { record } = await openDatabases(data)
  await Promise.all(Array.from({ length: batch }, (_, n) => record(size + n, what)))
  const after = snapshot(data)
  rmSync(data, { recursive: true })
  return after
}

/** The files of the tree that a commit makes or changes, in the order in which they get their names. */
function namesOf(before: Snapshot, after: Snapshot): string[] {
  const rank = (path: string): number =>
    ['/tile/', '/lookup/', '/latest'].findIndex((part) => path.includes(part))
  return [...after.files.keys()]
    .filter(
      (path) =>
        path.startsWith(tree) && !before.files.get(path)?.equals(after.files.get(path) ?? (path as never)),
    )
    .sort((a, b) => rank(a) - rank(b))
}

t.test('a crash during a commit', async (t) => {
  let states = 0
  for await (const { size, batch, before, after } of commits(COMMITS)) {
    const at = `${batch} on ${size}`
    const isSmall = ['0 1', '7 3'].includes(`${size} ${batch}`) || ALL
    const [old, now] = [readState(before), readState(after)]
    const expected = { acknowledged: size, most: size + batch }
    const records = Object.entries(tornEnds(old.records, now.records))
    const heads = Object.entries(tornEnds(old.heads, now.heads))
    for (const [r, [rName, r1]] of records.entries())
      for (const [h, [hName, h1]] of heads.entries()) {
        if (!isSmall && r !== h && (h > 0 || r % 2 > 0)) continue
        const changes = new Map([
          [state.records, r1],
          [state.heads, h1],
        ])
        const what = `${at}: records ${rName}, heads ${hName}`
        await lookAt(t, what, before, changes, { ...expected, isClose: isSmall || r % 3 === 0 })
        states++
      }
    // The commit is on the disk: any of its names may be there, whatever the others are.
    const names = namesOf(before, after)
    const committed = { acknowledged: size + batch, most: size + batch }
    const subsets: [string, string[]][] = names.flatMap((name, nth) => [
      [`the first ${nth} names`, names.slice(0, nth)],
      [`without ${name}`, names.filter((other) => other !== name)],
      [`only ${name}`, [name]],
      [`some of its names (${nth})`, names.filter((_, other) => (other * 7 + nth * 3) % 5 < 2)],
    ])
    for (const [nth, [which, there]] of subsets.entries()) {
      if (!isSmall && nth % 4 > 1) continue
      const changes = new Map<string, Buffer | undefined>([
        [state.records, now.records],
        [state.heads, now.heads],
        ...there.map((name) => [name, after.files.get(name)] as const),
      ])
      await lookAt(t, `${at}: ${which}`, before, changes, { ...committed, isClose: isSmall || nth % 8 === 0 })
      states++
    }
  }
  t.comment(`${states} states`)
  t.ok(states > 300)
})

/** The files of the tree as they are in a snapshot, in the place of those of another. */
const treeOf = ({ files }: Snapshot, instead: Snapshot): Map<string, Buffer | undefined> =>
  new Map(
    [...new Set([...files.keys(), ...instead.files.keys()])]
      .filter((path) => path.startsWith(tree))
      .map((path) => [path, files.get(path)]),
  )

t.test('what no crash leaves', async (t) => {
  const latest = `${tree}/latest`
  for await (const { size, batch, before, after } of commits([
    [7, 3],
    [60, 1],
  ])) {
    const most = size + batch
    const whole = { acknowledged: most, most }
    const refused = (words: RegExp) => ({ acknowledged: 0, most, refused: words })
    const look = (what: string, changes: [string, Buffer | undefined][], expected: Expected) =>
      lookAt(t, `${most}: ${what}`, after, new Map(changes), expected)
    const now = readState(after)
    const then = readState(before)
    const restored = [...treeOf(before, after)]

    await look('nothing', [], whole)
    await look('the tree is older', restored, whole)
    await look(
      'the tree is gone',
      restored.map(([path]) => [path, undefined]),
      whole,
    )
    await look('latest is gone', [[latest, undefined]], whole)
    await look('latest is no head', [[latest, Buffer.from('go.sum database tree\n')]], whole)

    const older =
      /^the checksum database of admin has shown \d+ records, .* older, .*\/plinth sumdb recover admin$/
    await look(
      'the state is older',
      [
        [state.records, then.records],
        [state.heads, then.heads],
      ],
      refused(older),
    )
    const damaged = /^the checksum database of admin is damaged: .*\/plinth sumdb recover admin, or/
    const middle = Buffer.from(now.heads)
    middle[Math.max(1, middle.indexOf('\n', middle.length - 500) + 9)]! ^= 1
    const changed = Buffer.from(now.records)
    changed[changed.length - 9]! ^= 1
    await look('a line is no head', [[state.heads, middle]], refused(damaged))
    await look('a record is changed', [[state.records, changed]], refused(damaged))
    await look('records is cut', [[state.records, now.records.subarray(0, -9)]], refused(damaged))
    await look('the last line is cut', [[state.heads, now.heads.subarray(0, -9)]], refused(older))
    await look('all heads are gone', [[state.heads, Buffer.alloc(0)]], refused(older))
    const zeros = Buffer.concat([now.heads, Buffer.alloc(5000)])
    await look('there are zeros behind the heads', [[state.heads, zeros]], refused(damaged))

    // Without the newest head nobody knows what was shown.
    const unknown = /^the checksum database of admin is damaged: its newest head is not in the tree, /
    for (const gone of [undefined, Buffer.from('go.sum database tree\n')]) {
      const lost: [string, Buffer | undefined] = [latest, gone]
      await look(
        'records is cut, too',
        [lost, [state.records, now.records.subarray(0, -9)]],
        refused(unknown),
      )
      await look(
        'the last line is cut, too',
        [lost, [state.heads, now.heads.subarray(0, -9)]],
        refused(unknown),
      )
      await look('zeros, too', [lost, [state.heads, zeros]], refused(damaged))
      await look('no heads, too', [lost, [state.heads, Buffer.alloc(0)]], refused(unknown))
    }

    for (const key of [Buffer.alloc(0), Buffer.from('PRIVATE+KEY+a.b+00000000+AA==\n')])
      await look(
        'the key is damaged',
        [[state.key, key]],
        refused(/^the key of the checksum database .* damaged/),
      )

    // Another log with the same key: it has one record of other content.
    const other = await grown(before, size, batch, 'other')
    await look(
      'latest is of another log',
      [[latest, other.files.get(latest)]],
      refused(/two heads of size \d+ were/),
    )
    const more = await grown(after, most, 1)
    const at = (name: string) => [name, more.files.get(name)] as [string, Buffer]
    await look(
      'latest is of another log, and older',
      [at(state.records), at(state.heads), [latest, other.files.get(latest)]],
      refused(/the head of size \d+ in the tree is not one of the heads/),
    )
  }
})

/** What the process has read since the last call, in bytes. */
const bytesRead = (() => {
  let before = 0
  return (): number => {
    const all = Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
    const since = all - before
    before = all
    return since
  }
})()

t.test('opening reads no more of a long log than of a short one', async (t) => {
  const data = join(base, 'long')
  await makeDatabase(data)
  const { record, log } = await openDatabases(data)
  const read: number[] = []
  for (const size of [136, 5000]) {
    for (let n = log()?.size ?? 0; n < size - 1; n = log()?.size ?? size)
      await Promise.all(Array.from({ length: Math.min(256, size - 1 - n) }, (_, nth) => record(n + nth)))
    await record(size - 1)
    bytesRead()
    const opened = await openDatabases(data)
    read.push(bytesRead())
    t.equal(opened.log()?.size, size)
  }
  const [few = 0, many = 0] = read
  t.comment(`${few} bytes of 136 records, ${many} of 5,000`)
  t.ok(many < few + 100_000, 'it is bounded')
})
