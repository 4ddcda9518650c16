// The power goes, anywhere in a run of publishing and deleting: from every state that the disk may be in then, recovery
// leads to what was acknowledged.
//
// The calls on files of a real run are recorded with strace, and the states built from them (disk-model.ts). That the
// test would notice is shown by leaving syncs out of the recording. PLINTH_TEST_POWER_STATES asks for more states,
// PLINTH_TEST_POWER_SEED for others.

import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeDatabase } from '../support/checksum-database.js'
import { openParts } from '../support/parts.js'
import { isPublished, makeImmutable, withoutTombstone, type Act, type Publish } from './steps.js'
import { openDisk, parseCalls, type FileCall, type Luck, type Mutant } from './disk-model.js'
import { startPublisher } from './publisher.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { viewProblems, violations } from '../support/invariants.js'
import { newData } from '../support/service.js'
import { strace } from './strace.js'

const STATES = Number(process.env['PLINTH_TEST_POWER_STATES'] ?? 500)
const SEED = Number(process.env['PLINTH_TEST_POWER_SEED'] ?? 1)
const CALLS =
  'openat,write,pwrite64,ftruncate,fsync,fdatasync,close,rename,link,symlink,unlink,mkdir,rmdir,utimensat'

const m = (version: string, module = 'example.com/m') => ({ module, version })
const f = (file: string, version = '1.0') => ({ name: 'tool', version, file })

/** Groups of acts: those of a group at once, the groups one after the other. */
const GROUPS: Act[][] = [
  [{ op: 'publish', ...m('v1.0.0') }],
  [{ op: 'publish', ...m('v1.1.0') }],
  [{ op: 'publish', ...f('a') }],
  [{ op: 'publish', ...f('b') }],
  [{ op: 'publish', ...m('v1.0.0', 'example.com/Own/m') }],
  [{ op: 'delete', ...m('v1.1.0') }],
  [{ op: 'delete', ...f('b') }],
  [{ op: 'publish', ...m('v1.1.0') }],
  [
    { op: 'publish', ...m('v0.9.0') },
    { op: 'publish', ...m('v1.2.0-rc.1') },
    { op: 'publish', ...f('c', '2.0') },
    { op: 'delete', ...m('v1.0.0', 'example.com/Own/m') },
  ],
  [{ op: 'delete', name: 'tool', version: '1.0' }],
  [{ op: 'publish', ...f('a') }],
  [
    { op: 'delete', ...m('v1.0.0') },
    { op: 'delete', ...m('v1.1.0') },
    { op: 'publish', ...m('v1.0.0', 'example.com/Own/m') },
    { op: 'delete', ...f('c', '2.0') },
  ],
  [{ op: 'delete', ...m('v0.9.0') }],
  [{ op: 'delete', ...m('v1.2.0-rc.1') }],
]

/** The same for an owner with a checksum database. */
const RECORDED_GROUPS: Act[][] = [
  [{ op: 'publish', ...m('v1.0.0') }],
  [{ op: 'publish', ...m('v1.1.0') }],
  [
    { op: 'publish', ...m('v1.2.0') },
    { op: 'publish', ...m('v1.0.0', 'example.com/Own/m') },
    { op: 'delete', ...m('v1.0.0') },
  ],
  [{ op: 'publish', ...m('v1.0.0') }], // what it is recorded with
  [{ op: 'publish', ...m('v1.3.0') }],
]

const without =
  (pattern: RegExp): Mutant =>
  (_, path) =>
    pattern.test(path)

/** Programs that are not ours: each leaves a sync out that ours makes. */
const MUTANTS: Record<string, Mutant> = {
  'no file is synced': (what) => what === 'file',
  'no folder is synced': (what) => what === 'folder',
  'nothing is synced': () => true,
  'the upload is not synced': without(/\/body$/),
  'no derived file is synced': without(/\/state\/tmp\/[^/]+$/),
  'the journal entry is not synced': without(/\/state\/journal\/[^/]+$/),
  'the folder of the journal is not synced': without(/\/state\/journal$/),
  'the folder of the sum is not synced': without(/\/state\/sums\/..$/),
  'the folder of the versions is not synced': without(/\/@v$/),
  'the folder of @latest is not synced': without(/\/go\/.*\/m$/),
  'the folder of the files is not synced': without(/\/generic\/tool\/[^/]+$/),
  'the folder of the markers is not synced': without(/\/state\/due$/),
  'no tombstone is synced': without(/\/state\/gone(\/..)?$/),
  'the log of versions is not synced': without(/\/index\.ndjson$/),
  'the folder of the views is not synced': without(/\/-$/),
  'the parents of new folders are not synced': without(/\/(go|example\.com|!own|generic|tool)$/),
}

/** Programs that are not ours, as to the checksum database. */
const RECORDING_MUTANTS: Record<string, Mutant> = {
  'the records are not synced': without(/\/records$/),
  'the heads are not synced': without(/\/heads$/),
  'the folder of the lookups is not synced': without(/\/lookup\/example\.com$/),
  'the folder of the tiles is not synced': without(/\/tile\/8\/0\/000\.p$/),
}

type Recording = { data: string; calls: FileCall[]; acts: Act[] }

async function record(groups: Act[][], { isRecorded = false, isCeph = false } = {}): Promise<Recording> {
  const data = await newData({ fast: true })
  if (isRecorded) await makeDatabase(data)
  makeImmutable(data) // its deletes do what those of other owners do, and something before it
  const publisher = await startPublisher(data, { isCeph })
  const before = tempFolder('plinth-before', '/dev/shm')
  openDisk(data).crash(before, 'everything', Math.random) // a copy
  const log = await strace(publisher.thread, ['-xx', '-s', '1000000', '-e', `trace=${CALLS}`], async () => {
    for (const group of groups) {
      const results = await Promise.all(group.map((act) => publisher.act(act)))
      if (results.some((result) => result !== 'done')) throw new Error(String(results))
    }
  })
  await publisher.end()
  const calls = parseCalls(log.replaceAll(hex(data), hex(before)))
  const disk = openDisk(before)
  return {
    data: before,
    calls: calls.filter((call) => disk.see(call) || isMark(call)),
    acts: groups.flat(),
  }
}

const isMark = ({ strings }: FileCall): boolean => String(strings[0]).startsWith('/plinth-mark/')

const hex = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')

// Numbers from 0 to 1, the same ones for the same seed (mulberry32).
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Which acts had begun, and which were acknowledged, after the marks that were seen. `seen`: the heads that readers
 * found in the checksum database until then.
 */
type Progress = { begun: Set<number>; ended: Set<number>; seen: Map<number, string> }

function wrongWith(data: string, acts: readonly Act[], { begun, ended, seen }: Progress): string[] {
  const problems: string[] = []
  const packages = acts.filter((act): act is Publish => act.op === 'publish')
  for (const of of packages) {
    const touching = acts
      .map((act, index) => ({ act, id: index + 1 }))
      .filter(
        ({ act, id }) =>
          begun.has(id) &&
          Object.entries(act).every(([name, value]) => name === 'op' || of[name as keyof Publish] === value),
      )
    if (touching.some(({ id }) => !ended.has(id))) continue // under way: either will do
    const expected = touching.at(-1)?.act.op === 'publish'
    if (touching.some(({ act }) => act.op === 'delete')) problems.push(...withoutTombstone(data, [of]))
    if (isPublished(data, of) !== expected)
      problems.push(`${JSON.stringify(of)} was acknowledged as ${expected ? 'there' : 'gone'}`)
  }
  return [...problems, ...violations(data, new Map(seen))]
}

const listing = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const { ino, size, mtimeMs, mode } = lstatSync(join(folder, name))
      return `${name} ${ino} ${size} ${mtimeMs} ${mode}`
    })
    .toSorted()

const LUCKS: Luck[] = ['nothing', 'some', 'the earlier part', 'some', 'everything']

/** Cuts the power at `states` places of the recording, and recovers. Ends with the first state that is wrong. */
async function cutPower(
  { data, calls, acts }: Recording,
  states: number,
  mutant?: Mutant,
  forgets?: boolean,
): Promise<{ states: number; wrong: string[] }> {
  const random = randomFrom(SEED)
  const base = tempFolder('plinth-power', '/dev/shm')
  let cut = 0
  let folder = ''
  const passes = Math.ceil(states / calls.length)
  const share = states / (calls.length * passes)
  for (let pass = 0; pass < passes; pass++) {
    const disk = openDisk(data, mutant, forgets)
    const progress: Progress = { begun: new Set(), ended: new Set(), seen: new Map() }
    for (const [index, call] of calls.entries()) {
      const [, kind, id] = /plinth-mark\/(begin|end)-(\d+)/.exec(String(call.strings[0])) ?? []
      if (kind !== undefined) progress[kind === 'begin' ? 'begun' : 'ended'].add(Number(id))
      disk.see(call)
      if (call.name === 'rename' && String(call.strings[1]).endsWith('/latest')) {
        const [, size, root = ''] = disk.read(String(call.strings[1]))?.toString().split('\n') ?? []
        progress.seen.set(Number(size), root)
      }
      if (Math.floor((index + 1) * share) === Math.floor(index * share)) continue
      const luck = LUCKS[(cut + pass) % LUCKS.length] ?? 'some'
      folder = join(base, String(cut++))
      mkdirSync(folder)
      disk.crash(folder, luck, random)
      const parts = await openParts(folder)
      await parts.recover()
      await parts.ownerViews.settle()
      const wrong = [...wrongWith(folder, acts, progress), ...(await viewProblems(folder))]
      if (cut % 10 === 0) {
        const before = listing(folder)
        await (await openParts(folder)).recover()
        if (String(listing(folder)) !== String(before)) wrong.push('a second recovery changed something')
      }
      if (wrong.length > 0) {
        // What was written may be a zip, and a test whose comment holds such bytes ends there.
        const what = String(call.strings[0])
          .slice(0, 200)
          .replaceAll(/[^ -~]/g, '.')
        const where = `power cut after call ${index} (${call.name} ${what}), ${luck} of the rest`
        return { states: cut, wrong: [where, ...wrong] }
      }
      rmSync(folder, { recursive: true })
    }
  }
  return { states: cut, wrong: [] }
}

async function test(
  t: Test,
  recording: Recording,
  wanted: number,
  mutants: Record<string, Mutant>,
): Promise<void> {
  const { states, wrong } = await cutPower(recording, wanted)
  t.same(wrong, [])
  t.ok(states >= Math.min(wanted, 100), `${states} states`)
  const { calls, acts } = recording
  const syncs = calls.filter(({ name }) => name === 'fsync').length
  t.comment(`${states} states of ${calls.length} calls, ${syncs} of them syncs, for ${acts.length} acts`)

  for (const [name, mutant] of Object.entries(mutants)) {
    // It stops at the first fault. Some show in one state of many.
    const found = await cutPower(recording, wanted * 5, mutant)
    t.ok(found.wrong.length > 0, `${name}: found`)
    t.comment(`${name}: found in state ${found.states}: ${found.wrong.slice(0, 2).join('; ')}`)
  }
}

t.test('power loss', needs('strace'), async (t) => test(t, await record(GROUPS), STATES, MUTANTS))

t.test('power loss with a checksum database', needs('strace'), async (t) =>
  test(t, await record(RECORDED_GROUPS, { isRecorded: true }), STATES * 0.3, RECORDING_MUTANTS),
)

/** What has a time: modules and files, published and settled. */
const TIMED_GROUPS: Act[][] = [
  [{ op: 'publish', ...m('v1.0.0') }],
  [
    { op: 'publish', ...m('v1.1.0') },
    { op: 'publish', ...f('a') },
  ],
]

t.test('power loss on a disk that loses the time which is set before a sync', needs('strace'), async (t) => {
  const { states, wrong } = await cutPower(await record(TIMED_GROUPS, { isCeph: true }), 60, undefined, true)
  t.same(wrong, [])
  t.comment(`${states} states`)
  // What is written for one machine sets the time before the sync.
  const found = await cutPower(await record(TIMED_GROUPS), 60, undefined, true)
  t.ok(found.wrong.length > 0, 'times that were set before the sync: found')
  t.comment(`found in state ${found.states}: ${found.wrong.slice(0, 2).join('; ')}`)
})
