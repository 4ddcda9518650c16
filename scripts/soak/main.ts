// `npm run soak`: a mix of good and hostile clients for an hour, or each attack for a minute. Exit code 1 when a
// promise was broken.

import { setMaxListeners } from 'node:events'
import { existsSync } from 'node:fs'
import { needs } from '../../test/support/programs.js'
import { readArguments, UsageError } from './arguments.js'
import { runAttack } from './attack-run.js'
import { ATTACKS } from './attacks/table.js'
import { runMix } from './mix.js'
import { exitCode, type Verdict } from './verdict.js'

const NAMES = ATTACKS.map(({ name }) => name)

const USAGE = `usage: npm run soak -- [--minutes N]
       npm run soak -- --attacks [--seconds N]
       npm run soak -- --attack NAME [--attack NAME…] [--seconds N]

Runs a Plinth of its own and asks it as good clients and as hostile ones do. Good clients read public and private
packages, publish modules and files, delete, and download with go, where there is one.

  --minutes N    the mix, for N minutes (60): good clients, and two attacks at a time beside them. At the end memory,
                 descriptors, threads, temporary files and upload slots must be what they were after the first
                 minute. killed-service takes part in that minute only: a new process would hide an old one's leak
  --attacks      each attack for N seconds (60), beside good clients, on a Plinth of its own. Every good read must be
                 answered with 200, and every good small write with 201 or 204 within 1 s
  --attack NAME  this one only:

${ATTACKS.map(({ name, what }) => `  ${name.padEnd(16)} ${what}`).join('\n')}

exit code 0: every promise was kept; 1: one was broken; 2: the soak could not be run; 3: none was broken, but the
machine was too busy to judge the times
`

const say = (line: string): void => void process.stdout.write(`${line}\n`)

function tell({ broken, unjudged }: Verdict): void {
  for (const text of broken) say(`  BROKEN: ${text}`)
  for (const text of unjudged) say(`  NOT JUDGED: ${text}`)
  if (broken.length + unjudged.length === 0) say('  kept')
}

async function runAttacks(names: readonly string[], seconds: number, signal: AbortSignal): Promise<Verdict> {
  const all: Verdict = { broken: [], unjudged: [] }
  for (const attack of ATTACKS.filter(({ name }) => names.includes(name))) {
    if (signal.aborted) break
    say(`${attack.name}: ${attack.what}`)
    const verdict = await runAttack({ attack, seconds, say, signal })
    tell(verdict)
    for (const kind of ['broken', 'unjudged'] as const)
      all[kind].push(...verdict[kind].map((text) => `${attack.name}: ${text}`))
  }
  return all
}

/** Ends what runs on the first Ctrl-C, in order. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController()
  setMaxListeners(0, interrupted.signal) // every pause listens
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(130)
      interrupted.abort()
      process.stderr.write('plinth soak: ending; once more ends it at once\n')
    })
  return interrupted.signal
}

async function main(): Promise<number> {
  const wish = readArguments(process.argv.slice(2), NAMES)
  if (wish.kind === 'help') {
    process.stdout.write(USAGE)
    return 0
  }
  const { skip } = needs('nginx')
  if (skip !== undefined) throw new UsageError('nginx is not on this machine')
  if (!existsSync('/proc/self/status'))
    throw new UsageError('the soak reads /proc, which this system does not have')
  const signal = untilInterrupted()
  const verdict =
    wish.kind === 'mix'
      ? await runMix(wish.minutes, say, signal)
      : await runAttacks(wish.names, wish.seconds, signal)
  say(`\n${wish.kind === 'mix' ? `${wish.minutes} minutes` : `${wish.names.length} attacks`}:`)
  tell(verdict)
  return signal.aborted ? 130 : exitCode(verdict)
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof UsageError)
      process.stderr.write(`plinth soak: ${error.message}; npm run soak -- --help\n`)
    else process.stderr.write(`plinth soak: ${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(2)
  },
)
