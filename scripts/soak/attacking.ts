// Runs an attack in a process of its own for a while.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isOver, running } from '../../test/support/child.js'
import { plainNode } from '../../test/support/cli.js'
import type { Order, Word } from './attacker.js'
import type { Attack, Target } from './target.js'

const ATTACKER = fileURLToPath(new URL('attacker.js', import.meta.url))

/** How long an attack may take to clean up. */
const END_MS = 10_000

/** Runs `attack` until `over` resolves. Resolves with the broken promises that it has seen itself. */
export async function attackUntil(
  attack: Attack,
  target: Target,
  over: () => Promise<unknown>,
): Promise<string[]> {
  const child = spawn(...plainNode(ATTACKER), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  running.add(child)
  const exited = once(child, 'exit')
  const broken = new Set<string>()
  const begun = new Promise<void>((resolve) =>
    child.on('message', (word: Word) => ('begun' in word ? resolve() : broken.add(word.broken))),
  )
  child.send({ attack: attack.name, target } satisfies Order)
  // its time does not begin before it has: a process takes a while to start on a busy machine
  await Promise.race([begun.then(over), exited])
  if (isOver(child) && child.exitCode !== 0) throw new Error(`the attack ${attack.name} failed`)
  if (child.connected) child.send('stop')
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
  await exited
  clearTimeout(timer)
  running.delete(child)
  return [...broken]
}
