// Requests as attackers send them: bytes on a connection, from an address of their own.

import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Target } from './target.js'

/** Attackers have an address of their own, where the system has more than one of its own (Linux: all of 127/8). */
export const HOSTILE_ADDRESS = '127.0.0.66'

/** An answer that takes longer is not waited for. */
const ANSWER_MS = 15_000
/** A connection that is refused is not tried again at once. */
const REFUSED_MS = 20

type Sending = {
  signal: AbortSignal
  /** The client's address. */
  from?: string
  /** The client goes away so long after its bytes, without waiting for an answer. */
  leaveAfterMs?: number
  /** How long an answer is waited for. */
  withinMs?: number
}

/** The head of a request. It ends the connection after the answer. */
export const head = (method: string, path: string, headers: Record<string, string | number>): string =>
  `${method} ${path} HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

/** Sends `bytes`, in one piece or in several, on a connection. Resolves with the status of the answer, and with 0 when none came. */
export async function send(
  { port }: Pick<Target, 'port'>,
  bytes: Buffer | string | readonly Buffer[],
  { signal, from = HOSTILE_ADDRESS, leaveAfterMs, withinMs = ANSWER_MS }: Sending,
): Promise<number> {
  if (signal.aborted) return 0
  const socket = connect({ host: '127.0.0.1', port, localAddress: from })
  const leave = (): void => void socket.destroy()
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const timers = [setTimeout(leave, withinMs)]
  let answer = ''
  signal.addEventListener('abort', leave, { once: true })
  socket.on('error', () => {}) // 'close' follows
  socket.on('connect', () => {
    for (const piece of Array.isArray(bytes) ? bytes : [bytes]) socket.write(piece)
    if (leaveAfterMs !== undefined) timers.push(setTimeout(leave, leaveAfterMs))
  })
  socket.on('data', (chunk: Buffer) => {
    if (answer.length < 64) answer += chunk.toString('latin1')
  })
  await closed
  timers.forEach(clearTimeout)
  signal.removeEventListener('abort', leave)
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0)
}

/** Runs `action` again and again in `lanes` lanes. It is given how many came before it, and returns a status. */
export async function inLanes(
  lanes: number,
  signal: AbortSignal,
  action: (n: number) => Promise<number>,
): Promise<void> {
  let begun = 0
  const lane = async (): Promise<void> => {
    while (!signal.aborted) if ((await action(begun++)) === 0) await pause(REFUSED_MS, signal)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Resolves after `ms`, or when `signal` is aborted. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  wait(ms, undefined, { signal }).catch(() => {})
