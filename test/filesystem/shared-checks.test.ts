// Two sides in this process, of which the reading one has a file system with one defect.

import { basename, dirname } from 'node:path'
import t from 'tap'
import { systemCalls, type Calls } from '../../src/filesystem/calls.js'
import {
  Flaws,
  lockBoth,
  race,
  readWhile,
  sharedRound,
  type Flaw,
} from '../../src/filesystem/shared-checks.js'
import { LocalSide } from '../../src/filesystem/side.js'
import { needs } from '../support/programs.js'
import { memoryFolder } from '../support/temp-folder.js'

/** Two rounds of all checks: the flaws by need. */
async function flawsOf(defect: Partial<Calls> = {}, withLocks = true): Promise<Record<string, Flaw>> {
  const folder = memoryFolder()
  // Of a race either side may be the one that comes second.
  const isRaced = 'link' in defect || 'writeText' in defect
  const writer = new LocalSide(folder, { ...systemCalls, ...(isRaced && defect) }, 'one')
  const reader = new LocalSide(folder, { ...systemCalls, ...defect }, 'other')
  const flaws = new Flaws('another machine')
  await writer.ask({ do: 'begin' })
  for (const round of withLocks ? [1] : [1, 2]) {
    await sharedRound({ writer, reader }, round, flaws)
    await race([writer, reader], round, flaws)
    if (withLocks) await lockBoth([writer, reader], flaws)
  }
  await readWhile({ writer, reader }, { times: 3, from: 1 }, flaws)
  return Object.fromEntries(flaws.all().map((flaw) => [flaw.need, flaw]))
}

/** What a call of these names gave the first time; a second look at a thing that changed finds it so, too. */
function remembering(names: RegExp, times: number): Partial<Calls> {
  const remembered = new Map<string, { outcome: Promise<unknown>; left: number }>()
  const through = <T>(how: string, path: string, call: () => Promise<T>): Promise<T> => {
    if (!names.test(path)) return call()
    const key = `${how} ${path}`
    const known = remembered.get(key)
    if (known && known.left-- > 0) return known.outcome as Promise<T>
    const outcome = call()
    outcome.catch(() => {})
    remembered.set(key, { outcome, left: times })
    return outcome
  }
  return {
    readText: (path) => through('read', path, () => systemCalls.readText(path)),
    status: (path) => through('stat', path, () => systemCalls.status(path)),
  }
}

/** How many looks are answered from memory: the glance before the change, and the look behind it. */
const LOOKS = 2

let reads = 0
const DEFECTS: [what: string, unmet: string[], defect: () => Partial<Calls>, example: RegExp][] = [
  ['an old list', ['replaced'], () => remembering(/\/list$/, LOOKS), /^list: it reads "round [01]/],
  ['a version that is not there yet', ['appeared'], () => remembering(/\/new-\d$/, LOOKS), /^new: ENOENT/],
  ['a deleted file', ['removed'], () => remembering(/\/gone-\d$/, LOOKS), /^gone: it still reads "round/],
  [
    'an owner that was closed',
    ['closed'],
    () => remembering(/\/public-\d\/file$/, LOOKS),
    /^public\/file: it still/,
  ],
  [
    'an owner that was closed, for stat(2) alone',
    ['closed'],
    () => ({ status: remembering(/\/public-\d\/file$/, LOOKS).status ?? systemCalls.status }),
    /stat\(2\) still finds it/,
  ],
  [
    'a link to the place before',
    ['led'],
    () => remembering(/\/latest\/file$/, LOOKS),
    /^latest\/file: it reads/,
  ],
  [
    'a folder under its old name',
    ['moved'],
    () => remembering(/\/(?:folder|moved)-\d\/file$/, LOOKS),
    /^folder/,
  ],
  ['an old end of a log', ['grown'], () => remembering(/\/log$/, LOOKS), /^log: it reads "round [01]/],
  [
    'an old state of a file',
    ['rewritten'],
    () => remembering(/\/alive$/, LOOKS),
    /^alive: it reads "00000000/,
  ],
  [
    'an old size',
    ['replaced'],
    () => ({
      status: async (path) =>
        basename(path) === 'list'
          ? { ...(await systemCalls.status(path)), size: 3 }
          : systemCalls.status(path),
    }),
    /it sees a size of 3 bytes/,
  ],
  [
    'another time',
    ['dated'],
    () => ({ status: async (path) => ({ ...(await systemCalls.status(path)), mtimeMs: 0 }) }),
    /it sees 1970/,
  ],
  [
    'a folder as it was',
    ['listed'],
    () => {
      let before: string[] | undefined
      return { names: async (folder) => (before ??= await systemCalls.names(folder)) }
    },
    /a new file is not listed/,
  ],
  [
    'removed files in a folder',
    ['listed'],
    () => ({ names: async (folder) => [...(await systemCalls.names(folder)), 'gone-1', 'gone-2'] }),
    /a removed file is listed/,
  ],
  [
    'parts of two files',
    ['whole'],
    () => ({
      readText: async (path) => {
        const text = await systemCalls.readText(path)
        return basename(path) === 'whole' ? `${text}9999\n` : text
      },
    }),
    /6 of 6 reads had parts of two/,
  ],
  [
    'no file for a moment',
    ['whole'],
    () => ({
      readText: (path) =>
        basename(path) === 'whole'
          ? Promise.reject(Object.assign(new Error('x'), { code: 'ENOENT' }))
          : systemCalls.readText(path),
    }),
    /6 none/,
  ],
  [
    'an older file after a newer one',
    ['forward'],
    () => ({
      readText: (path) => {
        if (basename(path) !== 'whole') return systemCalls.readText(path)
        const n = reads++ % 2 === 0 ? 3 : 1
        return Promise.resolve(`${n}\n`.repeat(500 + ((n * 37) % 400)))
      },
    }),
    /had an older one than the read before/,
  ],
  [
    'a link(2) that wins always',
    ['one winner'],
    () => ({ link: (from, to) => systemCalls.link(from, to).catch(() => {}) }),
    /2 of two made a file by link\(2\)/,
  ],
  [
    'O_EXCL that wins always',
    ['one winner'],
    () => ({
      writeText: (path, text, flag) =>
        systemCalls.writeText(path, text, basename(path).startsWith('made-') ? 'w' : flag),
    }),
    /2 of two made a file by O_EXCL/,
  ],
  [
    'locks of its own',
    ['locked'],
    () => ({ lock: () => Promise.resolve({ outcome: 'locked', release: () => {} }) }),
    /is locked by the other/,
  ],
  [
    'locks that are never free',
    ['freed'],
    () => ({ lock: () => Promise.resolve({ outcome: 'held', release: () => {} }) }),
    /is not free for the other/,
  ],
]

t.test('a file system that is well', needs('flock'), async (t) => {
  t.same(await flawsOf(), {})
})

t.test('what the other side sees', needs('flock'), async (t) => {
  for (const [what, unmet, defect, example] of DEFECTS)
    await t.test(what, async (t) => {
      const flaws = await flawsOf(defect(), 'lock' in defect())
      t.same(Object.keys(flaws), unmet)
      for (const need of unmet) t.match(flaws[need], { example, failed: /^[12]$/, rounds: /^[12]$/ })
    })
})

t.test('how long it is stale is told, and a wish comes last', async (t) => {
  const flaws = await flawsOf(remembering(/\/(?:list|moved-\d\/file)$/, LOOKS))
  t.same(Object.keys(flaws), ['replaced', 'moved'])
  t.ok((flaws['replaced']?.staleMs ?? 0) > 0)
  t.match(flaws['replaced']?.breaks, 'a reader of another machine would see an old list after the 201')
  t.equal(flaws['moved']?.isWish, true)
})

t.test('a call that fails is told as it is', async (t) => {
  const full = (path: string): Promise<never> =>
    Promise.reject(Object.assign(new Error(`ENOSPC ${dirname(path)}`), { code: 'ENOSPC' }))
  await t.rejects(flawsOf({ writeText: full }), /ENOSPC/)
})
