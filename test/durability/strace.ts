// Records the system calls of one thread of a running process, makes one fail, or kills the process at one.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '../support/temp-folder.js'

/** One system call of a trace: `on` says on what, with ids of no meaning taken out; `text` is strace's line. */
export type Call = { name: string; on: string; text: string; hit: boolean }

let folder: string | undefined
let traces = 0

/**
 * Runs strace on the thread `tid` while `use` runs, and returns what it wrote. Resolves when it has let go, or the
 * process is gone. `options` are strace's.
 */
export async function strace(tid: number, options: string[], use: () => Promise<unknown>): Promise<string> {
  folder ??= tempFolder('plinth-trace', '/dev/shm')
  const log = join(folder, String(traces++))
  const tracer = spawn('strace', ['-p', String(tid), '-o', log, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const closed = once(tracer, 'close')
  let said = ''
  await new Promise<void>((resolve, reject) => {
    tracer.stderr.on('data', (text: Buffer) => {
      said += text.toString()
      if (/attached/.test(said)) resolve()
    })
    tracer.once('close', () => reject(new Error(`strace ended: ${said}`)))
  })
  try {
    await use()
  } finally {
    tracer.kill('SIGINT')
    await closed
  }
  const text = readFileSync(log, 'utf8')
  rmSync(log)
  return text
}

/** The file calls that the thread `tid` makes while `use` runs. Their paths come without the prefix `data`. */
export const traced = async (
  tid: number,
  data: string,
  options: string[],
  use: () => Promise<unknown>,
): Promise<Call[]> => callsIn(await strace(tid, ['-y', '-e', 'trace=%file,%desc', ...options], use), data)

/** Ids, and the widths of partial tiles, which are others each time. */
const IDS = /[0-9a-f]{8}-[0-9a-f-]{27}|(?<=\.p\/)\d+/g

// fsync(23</data/state/tmp/266e96ac-…/body>) = -1 EIO (Input/output error) (INJECTED)
function callsIn(log: string, data: string): Call[] {
  const calls: Call[] = []
  for (const text of log.split('\n')) {
    const [, name, rest] = /^(\w+)\((.*)$/.exec(text) ?? []
    if (name === undefined || rest === undefined) continue
    const [args = ''] = rest.replaceAll(/^AT_FDCWD<[^>]*>|<unfinished \.\.\.>/g, '').split(/\) += /, 1)
    const strings = /^p?(read|write)/.test(name) ? /<[^>]*>/ : /<[^>]*>|"[^"]*"/g
    const on = (args.match(strings) ?? []).join(' ').replaceAll(data, '').replaceAll(IDS, '*')
    calls.push({ name, on, text, hit: /\(INJECTED\)/.test(text) || text.endsWith(' = ?') })
  }
  return calls
}

// The pool's thread wakes the main one by an eventfd, as often as it happens to; marks are the tests' own. And the
// service looks every second whether accounts or owners have changed.
const isWake = ({ on }: Call): boolean => on.includes('anon_inode:[eventfd]')
const isMark = ({ on }: Call): boolean => on.includes('/plinth-mark/')
const isLook = ({ name, on }: Call): boolean =>
  name === 'statx' && /^"\/(?:access\/(?:accounts|owners)|tree\/api\/packages)"$/.test(on)
/** Calls that are counted, as strace counts them, but belong to no operation. */
const isBeside = (call: Call): boolean => isMark(call) || isLook(call)

const CHANGES =
  /^(?:p?writev?(?:64)?|rename|link|symlink|unlink|mkdir|rmdir|ftruncate|utimensat|f?chmod|f?chown)/
/** Whether a call changes files and names, brings changes to the disk, or only looks. */
type Kind = 'change' | 'sync' | 'look'
const kindOf = ({ name, text }: Call): Kind =>
  CHANGES.test(name) || text.includes('O_CREAT') ? 'change' : /^f(?:data)?sync/.test(name) ? 'sync' : 'look'

/**
 * The call that strace is to hit: the `nth` of its name, or the one of its name on `path` that is the `nthThere`. `key`
 * tells it from the others of a trace.
 */
type Point = { name: string; nth: number; path?: string; nthThere: number; key: string; kind: Kind }

/** The first path of a call that is the same in each run, without the prefix of the data folder. */
const fixedPath = ({ on }: Call): string | undefined =>
  [...on.matchAll(/["<](\/[^">]*)[">]/g)].map(([, path]) => path).find((path) => !path?.includes('*'))

/** All points of a trace, each with a key that the same call has in another trace of the same operation. */
function pointsOf(calls: readonly Call[]): Point[] {
  const names = new Map<string, number>()
  const keys = new Map<string, number>()
  const there = new Map<string, number>()
  const count = (counts: Map<string, number>, what: string): number => {
    counts.set(what, (counts.get(what) ?? 0) + 1)
    return counts.get(what) ?? 0
  }
  return calls.flatMap((call) => {
    if (isWake(call)) return []
    const nth = count(names, call.name)
    if (isBeside(call)) return []
    const what = `${call.name} ${call.on}`
    const path = fixedPath(call)
    const nthThere = count(there, `${call.name} ${path}`)
    const key = `${what} #${count(keys, what)}`
    return [{ name: call.name, nth, ...(path !== undefined && { path }), nthThere, key, kind: kindOf(call) }]
  })
}

/** The point that was hit in this trace, if one of ours was. */
function hitIn(calls: readonly Call[]): Point | undefined {
  const at = calls.findIndex(({ hit }) => hit)
  const call = calls[at]
  return call && !isWake(call) && !isBeside(call) ? pointsOf(calls.slice(0, at + 1)).at(-1) : undefined
}

/**
 * Hits every point of an operation: `trace` runs it once, with strace's options, and returns the calls. The order of
 * calls that run side by side differs from run to run, so another one may be hit than was aimed at: what was missed
 * is aimed at again. Their paths are below `data`. Returns how many were hit, and those that never were. `written`
 * are all files that are written to. Only what matches `on` is hit. Calls of the kinds in `without` are left out, and
 * so are the last call that is `end` and all calls after it.
 */
export async function hitAll(
  data: string,
  trace: (options: string[]) => Promise<Call[]>,
  how: string,
  written: readonly string[],
  {
    without = [],
    end,
    on = /^/,
  }: { without?: readonly Kind[]; end?: (call: Call) => boolean; on?: RegExp } = {},
): Promise<{ hit: number; missed: string[] }> {
  // What else the process does now and then is not in all of several recordings.
  const record = async (): Promise<Point[]> => pointsOf(before(await trace([]), end))
  const [first = [], ...others] = [await record(), await record(), await record()]
  const wanted = first.filter(({ kind, key }) => !without.includes(kind) && on.test(key))
  const left = new Map(wanted.filter(isIn(others)).map((point) => [point.key, point]))
  const total = left.size
  // Writes that wake the main thread are as many as it happens: only those to files are to be counted.
  const only = written.flatMap((path) => ['-P', path])
  for (let pass = 0; pass < PASSES && left.size > 0; pass++) {
    // Where a call stands among those of its name may have been unusual in the last recording.
    const aims = pass === 0 ? first : await record()
    for (const { key, name, nth, path, nthThere } of aims) {
      // On a path that is the same in each run the calls come in one order. On others they are counted together.
      const isFixed = path !== undefined && pass % 2 === 0
      for (const shift of pass === 0 || isFixed ? [0] : shiftsOf(pass)) {
        if (!left.has(key)) break
        if (nth + shift < 1) continue
        const inject = ['-e', `inject=${name}:${how}:when=${isFixed ? nthThere : nth + shift}`]
        const filter = isFixed ? ['-P', `${data}${path}`] : name === 'write' ? only : []
        const hit = hitIn(await trace([...inject, ...filter]))
        if (hit) left.delete(hit.key)
      }
    }
  }
  // What the operation does not do any more either (it may do more as long as a folder is new) was no point of it.
  const now = left.size > 0 ? [await record(), await record()] : []
  const missed = [...left.values()].filter(isIn(now))
  return { hit: total - left.size, missed: missed.map(({ key }) => key) }
}

/** The calls before the last one that is `end`; all of them when none is. */
function before(calls: readonly Call[], end: (call: Call) => boolean = () => false): readonly Call[] {
  const at = calls.findLastIndex(end)
  return at < 0 ? calls : calls.slice(0, at)
}

/** Tells whether a point is in all of these recordings. */
const isIn =
  (recordings: Point[][]) =>
  ({ key }: Point): boolean =>
    recordings.every((points) => points.some((other) => other.key === key))

const PASSES = 8
/**
 * How far from where it was recorded a call is looked for, nearest first. What else the process does now and then, and
 * does more often beside a call on a busy machine, moves it: so later passes look further.
 */
const shiftsOf = (pass: number): number[] =>
  Array.from({ length: 2 * pass + 5 }, (_, n) => (n % 2 === 0 ? n / 2 : -(n + 1) / 2))

/** The one thread of the pool of a process that runs with UV_THREADPOOL_SIZE=1; `use` makes it create a folder. */
export async function poolThread(pid: number, use: () => Promise<unknown>): Promise<number> {
  const log = await strace(pid, ['-f', '-e', 'trace=mkdir'], use)
  return Number(/^(\d+) +mkdir/m.exec(log)?.[1])
}
