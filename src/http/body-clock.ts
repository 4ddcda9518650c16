// How long a body may take. Bytes that come in on the connection count, whichever code reads them. Time in which bytes
// have come in and the service has not read them yet is not the client's.

import type { IncomingMessage } from 'node:http'
import { Refusal } from '../errors.js'

/** How often the connection is looked at within the shorter of the two limits. */
const LOOKS = 4
/** The client's time after which its rate counts: a connection may begin slowly. */
const UNRATED_MS = 60_000

/**
 * `idleMs` without a byte, and `totalMs` from the first byte to the last, at most. `leastRate` is in bytes a second, on
 * average over the whole body.
 */
type BodyLimits = { idleMs: number; totalMs: number; leastRate: number }

/** `now` is in ms. `every` calls `look` every `ms` until what it returns is called. */
type Clock = { now: () => number; every: (ms: number, look: () => void) => () => void }

const realClock: Clock = {
  now: () => performance.now(),
  every(ms, look) {
    // After the process stood still, timers run before the input that has come meanwhile. setImmediate looks after it.
    const timer = setInterval(() => setImmediate(look), ms)
    return () => clearInterval(timer)
  },
}

const expiredBy = (what: string): Refusal =>
  new Refusal(408, `${what}: nothing was stored; upload it again`, { headers: { Connection: 'close' } })

/** Runs `read` with a promise that rejects with a 408 when the body stands still, or takes too long, or is too slow. */
export async function withBodyClock<T>(
  req: IncomingMessage,
  { idleMs, totalMs, leastRate }: BodyLimits,
  read: (expired: Promise<never>) => Promise<T>,
  { now, every }: Clock = realClock,
): Promise<T> {
  const begun = now()
  const bytesBefore = req.socket.bytesRead - req.readableLength
  let seen = req.socket.bytesRead
  let lastByte = begun
  let lastLook = begun
  let clientMs = 0
  let stop = (): void => {}
  const expired = new Promise<never>((_resolve, reject) => {
    stop = every(Math.min(idleMs, totalMs) / LOOKS, () => {
      const time = now()
      const isOurs = req.readableLength > 0
      if (req.socket.bytesRead !== seen || isOurs) lastByte = time
      if (!isOurs) clientMs += time - lastLook
      seen = req.socket.bytesRead
      lastLook = time
      if (time - lastByte >= idleMs) reject(expiredBy(`no byte of the body came for ${idleMs / 1000} s`))
      if (time - begun >= totalMs) reject(expiredBy(`the body took over ${totalMs / 1000} s`))
      if (clientMs >= UNRATED_MS && (seen - bytesBefore) * 1000 < leastRate * clientMs)
        reject(expiredBy(`fewer than ${leastRate} bytes of the body came a second`))
    })
  })
  expired.catch(() => {}) // it may reject when nothing waits for it
  try {
    return await read(expired)
  } finally {
    stop()
  }
}
