// How long a body may take. What counts is what comes in: bytes on the connection, whoever reads them, and no time in
// which we are the slow ones.

import type { IncomingMessage } from 'node:http'
import { Refusal } from '../errors.js'

const LOOKS = 4

/** `idleMs` without a byte, `totalMs` from the first to the last. */
export type BodyLimits = { idleMs: number; totalMs: number }

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
    // After a standstill of the process timers run before what has come in meanwhile is read: that comes first.
    timer = setInterval(() => setImmediate(look), Math.min(idleMs, totalMs) / LOOKS)
  })
  expired.catch(() => {})
  try {
    return await read(expired)
  } finally {
    clearInterval(timer)
  }
}
