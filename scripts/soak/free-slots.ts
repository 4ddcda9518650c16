// Counts the free upload slots from outside: as many uploads as there are slots stand still at the same time, and then
// all of them are finished. An upload that found no slot was answered with 503.

import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { folders } from '../../src/layout.js'
import { askGood } from './good-request.js'
import { head } from './raw-request.js'
import type { Target } from './target.js'

/** The default of PLINTH_MAX_UPLOADS. */
const SLOTS = 256
const ADMITTED_MS = 10_000
const ANSWERED_MS = 60_000
/** nginx bounds the connections of one address. */
const ADDRESSES = 4
const VERSION = '/api/packages/team/generic/slots/1'

type Probe = { socket: Socket; answer: () => string; closed: Promise<void> }

function open({ port, others }: Target, n: number): Probe {
  const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${70 + (n % ADDRESSES)}` })
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  const headers = { Authorization: others[n % others.length] ?? '', 'Content-Length': 2 }
  socket.write(`${head('PUT', `${VERSION}/${n}`, headers)}x`)
  return { socket, answer: () => answer, closed }
}

/** How many uploads are taken at the same time. No other upload may be under way. */
export async function countFreeSlots(target: Target): Promise<number> {
  const probes = Array.from({ length: SLOTS }, (_, n) => open(target, n))
  const settled = (): number =>
    readdirSync(join(target.data, folders.tmp)).length + probes.filter(({ answer }) => answer() !== '').length
  const end = performance.now() + ADMITTED_MS
  while (settled() < SLOTS && performance.now() < end) await wait(20)
  for (const { socket } of probes) socket.write('x')
  const late = setTimeout(() => probes.forEach(({ socket }) => socket.destroy()), ANSWERED_MS)
  await Promise.all(probes.map(({ closed }) => closed))
  clearTimeout(late)
  await askGood(target.port, 'DELETE', VERSION, { auth: target.others[0] ?? '' }).catch(() => {})
  return probes.filter(({ answer }) => answer().startsWith('HTTP/1.1 201 ')).length
}
