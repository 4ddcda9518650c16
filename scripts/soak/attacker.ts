// The process of one attack. It is told which by its parent, and ends when its parent does.

import { setMaxListeners } from 'node:events'
import { ATTACKS } from './attacks/table.js'
import type { Target } from './target.js'

/** What the parent sends, and 'stop' later. It is sent 'begun'. */
export type Order = { attack: string; target: Target }

const stop = new AbortController()
setMaxListeners(0, stop.signal) // every connection listens

async function carryOut(order: Order): Promise<void> {
  const attack = ATTACKS.find(({ name }) => name === order.attack)
  if (!attack) throw new Error(`there is no attack ${order.attack}`)
  attack.arm?.()
  process.send?.('begun')
  await attack.run(order.target, stop.signal)
}

process.on('disconnect', () => process.exit(0))
process.on('message', (message: Order | 'stop') => {
  if (message === 'stop') return stop.abort()
  carryOut(message).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${message.attack}: ${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
})
