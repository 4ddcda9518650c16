// How long a body may take. Bytes that come in on the connection count, whichever code reads them. Time in which bytes
// have come in and the service has not read them yet is not the client's.

import type { IncomingMessage } from 'node:http'
import { Refusal } from '../errors.js'

/** How often the connection is looked at within the shorter of the two limits. */
const LOOKS = 4

/** `idleMs` without a byte, and `totalMs` from the first byte to the last, at most. */
type BodyLimits = { idleMs: number; totalMs: number }

const expiredBy = (what: string): Refusal =>
  new Refusal(408, `${what}: nothing was stored; upload it again`, { headers: { Connection: 'close' } })

/** Runs `read` with a promise that rejects with a 408 when the body stands still or takes too long. */
export async function withBodyClock<T>(
  req: IncomingMessage,
  { idleMs, totalMs }: BodyLimits,
  read: (expired: Promise<never>) => Promise<T>,
): Promise<T> {
  const begun = performance.now()
  let seen = req.socket.bytesRead
  let lastByte = begun
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_resolve, reject) => {
    const look = (): void => {
      const now = performance.now()
      if (req.socket.bytesRead !== seen || req.readableLength > 0) lastByte = now
      seen = req.socket.bytesRead
      if (now - lastByte >= idleMs) reject(expiredBy(`no byte of the body came for ${idleMs / 1000} s`))
      if (now - begun >= totalMs) reject(expiredBy(`the body took over ${totalMs / 1000} s`))
    }
    // After the process stood still, timers run before the input that has come meanwhile. setImmediate looks after it.
    timer = setInterval(() => setImmediate(look), Math.min(idleMs, totalMs) / LOOKS)
  })
  expired.catch(() => {}) // it may reject when nothing waits for it
  try {
    return await read(expired)
  } finally {
    clearInterval(timer)
  }
}
