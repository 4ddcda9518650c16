// One account that holds what all accounts share: upload slots, and room on the disk.

import { connect, type Socket } from 'node:net'
import { head, HOSTILE_ADDRESS, pause } from '../raw-request.js'
import type { Attack, Target } from '../target.js'

/** Uploads that one account holds at most; the default of PLINTH_MAX_UPLOADS is 256. */
const HELD = 400
/** A byte now and then keeps an upload from standing still. */
const DRIP_MS = 5000
/** A closed upload is replaced so soon. */
const REFILL_MS = 200
/** The length that a body promises: no more than the default of PLINTH_MAX_FILE_BYTES. */
const PROMISED = 10_000_000_000
/** No more than a good client's file. */
const LEAST = 1000

/** `drips`: a byte comes now and then. `shrinks`: when an upload is refused, the next promises fewer bytes. */
type Held = { count: number; length: number; drips?: true; shrinks?: true }

/** Opens `count` uploads, opens another for each that is closed, and sends next to nothing on them. */
async function hold({ port, hostile }: Target, held: Held, signal: AbortSignal): Promise<void> {
  const open = new Set<Socket>()
  let opened = 0
  let length = held.length
  let dripped = performance.now()
  while (!signal.aborted) {
    while (open.size < held.count) {
      const socket = connect({ host: '127.0.0.1', port, localAddress: HOSTILE_ADDRESS })
      const path = `/api/packages/team/generic/held/1/${opened++}`
      const promised = length
      open.add(socket)
      socket.on('error', () => {})
      socket.on('data', () => {
        socket.destroy() // refused: another takes its place
        if (held.shrinks && length === promised) length = Math.max(LEAST, Math.floor(length / 16))
      })
      socket.on('close', () => open.delete(socket))
      socket.write(`${head('PUT', path, { Authorization: hostile, 'Content-Length': promised })}x`)
    }
    await pause(REFILL_MS, signal)
    if (!held.drips || performance.now() - dripped < DRIP_MS) continue
    dripped = performance.now()
    for (const socket of open) socket.write('x')
  }
  for (const socket of open) socket.destroy()
}

const slowBodies: Attack = {
  name: 'slow-bodies',
  what: `one account that keeps ${HELD} slow uploads open`,
  run: (target, signal) => hold(target, { count: HELD, length: 1_000_000, drips: true }, signal),
}

/** Promises of the whole disk, down to its last bytes, leave no room for anybody else. */
const idleLengths: Attack = {
  name: 'idle-lengths',
  what: 'idle uploads of one account whose lengths together are all that the disk has',
  run: (target, signal) => hold(target, { count: 100, length: PROMISED, shrinks: true }, signal),
}

export const bodies: readonly Attack[] = [slowBodies, idleLengths]
