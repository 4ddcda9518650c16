// Runs an attack in a process of its own for a while.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isOver, running } from '../../test/support/child.js'
import { plainNode } from '../../test/support/cli.js'
import type { Order } from './attacker.js'
import type { Attack, Target } from './target.js'

const ATTACKER = fileURLToPath(new URL('attacker.js', import.meta.url))

/** How long an attack may take to clean up. */
const END_MS = 10_000

/** Runs `attack` until what `over` returns resolves; it is called when the attack has begun. */
export async function attackUntil(
  attack: Attack,
  target: Target,
  over: () => Promise<unknown>,
): Promise<void> {
  const child = spawn(...plainNode(ATTACKER), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  running.add(child)
  const exited = once(child, 'exit')
  const begun = once(child, 'message')
  child.send({ attack: attack.name, target } satisfies Order)
  await Promise.race([begun.then(over), exited])
  if (isOver(child) && child.exitCode !== 0) throw new Error(`the attack ${attack.name} failed`)
  if (child.connected) child.send('stop')
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
  await exited
  clearTimeout(timer)
  running.delete(child)
}
