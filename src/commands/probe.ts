// `plinth probe`: whether a file system can hold what Plinth promises, alone and seen from another machine.

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { errno, quote, StartProblem } from '../errors.js'
import { answerQuestions } from '../filesystem/answer.js'
import { kindOf, notShared } from '../filesystem/kind.js'
import { PeerSide, type Hello } from '../filesystem/peer.js'
import { probe, type Probed } from '../filesystem/probe.js'
import { STALE_WATCHED_MS, type Flaw } from '../filesystem/shared-checks.js'
import { becomeOwner } from '../store/become-owner.js'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print, printError } from './print.js'
import { Progress } from './progress.js'

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url))

const OPTIONS = {
  peer: { type: 'string' },
  'peer-command': { type: 'string' },
  rounds: { type: 'string', default: '200' },
  answer: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

/** Where the other side is, and the command line that runs it. */
type Other = { elsewhere: 'this machine' | 'another machine'; isMachine: boolean; line: string[] }

const MOST_ROUNDS = 100_000
/** How long a call of the file system may take here. */
const HANGS_MS = 120_000

export const probeCommand: Command = {
  name: 'probe',
  options: Object.keys(OPTIONS),
  anywhere: () => true,
  usage: `  probe DIR [--peer HOST|HOST:DIR|DIR] [--peer-command COMMAND] [--rounds N] [--json]
                    whether the file system of DIR can hold what Plinth promises. --peer looks at it from a second
                    side, too: a machine that ssh reaches and that has "plinth" and the same DIR (or HOST:DIR), or
                    a second mount on this machine (a path with a /). --peer-command gets to the other side by
                    another program: it runs "plinth probe DIR --answer" there. It works in a folder of its own,
                    DIR/.plinth-probe-…, and removes it; a Plinth may run on DIR meanwhile. 200 rounds take from
                    some seconds to some minutes. Exit code 1 when something does not hold`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, options: OPTIONS, allowPositionals: true })
    const [folder, ...more] = positionals
    if (folder === undefined || more.length > 0) throw new WrongUsage('probe takes one folder')
    const dir = resolve(folder)
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory())
      throw new StartProblem(`there is no folder ${quote(dir)}`)
    if (values.answer) return await answer(dir, words)
    const other = otherOf(dir, values)
    const rounds = /^[1-9]\d*$/.test(values.rounds) ? Number(values.rounds) : NaN
    if (!(rounds <= MOST_ROUNDS))
      throw new WrongUsage(`--rounds ${quote(values.rounds)}: a number from 1 to ${MOST_ROUNDS} is expected`)
    return await run(dir, other, rounds, values.json)
  },
}

/** The other side, for another probe that has started this process. */
async function answer(dir: string, words: readonly string[]): Promise<number> {
  if (words.length !== 2) throw new WrongUsage('--answer is the only option then')
  if (process.stdin.isTTY)
    throw new WrongUsage('--answer is for another probe, which --peer or --peer-command starts it with')
  becomeOwner(dir)
  // Ctrl-C reaches this process, too. Whoever asks ends it by closing its input.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  return await answerQuestions(dir, process.stdin, (line) => print(line))
}

function otherOf(
  dir: string,
  { peer, 'peer-command': command }: { peer?: string | undefined; 'peer-command'?: string | undefined },
): Other {
  if (peer !== undefined && command !== undefined) throw new WrongUsage('--peer or --peer-command, not both')
  const machine = { elsewhere: 'another machine', isMachine: true } as const
  if (command !== undefined) return { ...machine, line: ['sh', '-c', command] }
  const here = (at: string): string[] => [process.execPath, CLI, 'probe', at, '--answer']
  if (peer === undefined) return { elsewhere: 'this machine', isMachine: false, line: here(dir) }
  const [, bracketed, plain, at] = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:/]+))(?::(\/.*))?$/.exec(peer) ?? []
  const host = bracketed ?? plain
  if (host === undefined || host === '.' || host === '..') {
    if (!statSync(peer, { throwIfNoEntry: false })?.isDirectory())
      throw new WrongUsage(
        `--peer ${quote(peer)}: a machine, HOST:/DIR, or a folder with a / in it is expected`,
      )
    return { elsewhere: 'another machine', isMachine: false, line: here(resolve(peer)) }
  }
  if (host.startsWith('-')) throw new WrongUsage(`--peer ${quote(peer)}: a machine's name does not begin so`)
  return { ...machine, line: ['ssh', '-T', '--', host, `plinth probe ${quoted(at ?? dir)} --answer`] }
}

/** One word for a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

async function run(dir: string, other: Other, rounds: number, json: boolean): Promise<number> {
  const stopped = new AbortController()
  const stop = (): void => stopped.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop) // a second one ends it
  const progress = new Progress()
  let [round, peer, hello]: [number, PeerSide | undefined, Hello | undefined] = [0, undefined, undefined]
  const watch = watchForHang(dir, () => round)
  try {
    ;[peer, hello] = await started(other, stopped.signal)
    becomeOwner(dir) // the other side has done the same, and ssh had the rights of whoever typed this
    const probed = await probe(dir, peer, {
      rounds,
      elsewhere: other.elsewhere,
      signal: stopped.signal,
      onRound: (each) => {
        round = each
        watch.refresh()
        progress.showCount('rounds', each - 1, rounds)
      },
    })
    if (stopped.signal.aborted) throw new Error('stopped')
    progress.clear()
    return tell(dir, other, hello, probed, json)
  } catch (error) {
    if (stopped.signal.aborted) throw new Error(`stopped in round ${round} of ${rounds}`, { cause: error })
    throw denied(error, dir) ?? error
  } finally {
    progress.clear()
    clearTimeout(watch)
    await peer?.end()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, stop)
  }
}

async function started({ line }: Other, signal: AbortSignal): Promise<[PeerSide, Hello]> {
  try {
    return await PeerSide.start(line, signal)
  } catch (error) {
    if (line[0] !== 'ssh' || !(error instanceof Error) || !error.message.includes('exit code 127'))
      throw error
    throw new Error(
      `${error.message}: the other machine needs the command "plinth"; --peer-command can name it`,
      {
        cause: error,
      },
    )
  }
}

/** Ends the process when the file system does not answer: nothing else can end a call that hangs. */
const watchForHang = (dir: string, round: () => number): NodeJS.Timeout =>
  setTimeout(() => {
    printError(`plinth: ${dir} has not answered for ${HANGS_MS / 1000} s, in round ${round()}: it hangs`)
    process.exit(1)
  }, HANGS_MS)

function denied(error: unknown, dir: string): Error | undefined {
  if (errno(error) !== 'EACCES' && errno(error) !== 'EROFS') return undefined
  return new Error(`${quote(dir)} cannot be written: ${errno(error)}`, { cause: error })
}

function tell(dir: string, other: Other, hello: Hello, probed: Probed, json: boolean): number {
  const { name } = kindOf(dir)
  const against = other.isMachine ? (notShared({ name }) ?? notShared({ name: hello.fileSystem })) : undefined
  const holds = against === undefined && probed.flaws.every(({ isWish }) => isWish)
  if (json) {
    const { host, fileSystem } = hello
    const { rounds, flaws, cutShort } = probed
    print(
      jsonLines({
        folder: dir,
        fileSystem: name,
        peer: { host, fileSystem },
        rounds,
        holds,
        against,
        cutShort,
        flaws,
      }),
    )
    return holds ? 0 : 1
  }
  const where = other.isMachine
    ? `${hello.host}, on ${hello.fileSystem}`
    : `a process of this machine, on ${hello.fileSystem}`
  print(`${dir} is on ${name}; the other side is ${where}`)
  print(`${probed.rounds} rounds, ${probed.looked} needs looked at`)
  for (const flaw of probed.flaws) print(linesOf(flaw))
  if (probed.cutShort !== undefined) print(`the rest was not looked at: ${probed.cutShort}`)
  if (against !== undefined) print(`${name}: several machines cannot share it: ${against}`)
  print(holds ? 'it holds what Plinth promises' : 'it cannot hold what Plinth promises')
  return holds ? 0 : 1
}

const lastingOf = (ms: number | undefined): string => {
  if (ms === undefined || ms < 50) return '' // looking again was enough
  return ms > STALE_WATCHED_MS
    ? `, for over ${STALE_WATCHED_MS / 1000} s`
    : `, for ${(ms / 1000).toFixed(1)} s`
}

const linesOf = ({ need, isWish, failed, rounds, example, staleMs, breaks }: Flaw): string[] => [
  `${need}: ${failed} of ${rounds} times: ${example}${lastingOf(staleMs)}`,
  `  ${isWish ? 'a wish: ' : ''}${breaks}`,
]
