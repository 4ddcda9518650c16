// The process of one attack. It is told which by its parent, and ends when its parent does.

import { setMaxListeners } from 'node:events'
import { ATTACKS } from './attacks/table.js'
import type { Target } from './target.js'

/** What the parent sends, and 'stop' later. */
export type Order = { attack: string; target: Target }
/** What the parent is told. */
export type Word = { begun: true } | { broken: string }

const stop = new AbortController()
setMaxListeners(0, stop.signal) // every connection listens
const tell = (word: Word): void => void process.send?.(word)
process.on('disconnect', () => process.exit(0))
process.on('message', (message: Order | 'stop') => {
  if (message === 'stop') return stop.abort()
  const attack = ATTACKS.find(({ name }) => name === message.attack)
  if (!attack) throw new Error(`there is no attack ${message.attack}`)
  tell({ begun: true })
  attack
    .run(message.target, stop.signal, (broken) => tell({ broken }))
    .then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${message.attack}: ${error instanceof Error ? error.stack : String(error)}\n`)
        process.exit(1)
      },
    )
})
