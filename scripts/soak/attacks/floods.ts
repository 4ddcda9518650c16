// As much as comes in at once: bytes for the memory and for the disk, and requests.

import { head, inLanes, send } from '../raw-request.js'
import type { Attack, Target } from '../target.js'

const MIB = 2 ** 20
const PATH = '/api/packages/team/generic/flood/1'
const BOUNDARY = 'soak-boundary'
/** How long an upload may take when many wait for the disk. */
const ANSWER_MS = 60_000
/** Attackers share the addresses, since nginx bounds the connections of each. */
const addressOf = (n: number): string => `127.0.0.${66 + (n % 2)}`

/** A body, and the header that says what it is. */
type Body = { type: string; pieces: readonly Buffer[] }

const fileOf = (bytes: number): Body => ({
  type: 'application/octet-stream',
  pieces: [Buffer.alloc(bytes, 'plinth')],
})

const formOf = (bytes: number): Body => ({
  type: `multipart/form-data; boundary=${BOUNDARY}`,
  pieces: [
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n`),
    Buffer.alloc(bytes, 'plinth'),
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ],
})

/** Uploads a file of its own, and deletes it again when it was taken. Resolves with the status of the upload. */
async function putAndDelete(
  target: Target,
  n: number,
  Authorization: string,
  { type, pieces }: Body,
  signal: AbortSignal,
): Promise<number> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const start = head('PUT', `${PATH}/${n}`, { Authorization, 'Content-Type': type, 'Content-Length': length })
  const how = { signal, from: addressOf(n), withinMs: ANSWER_MS }
  const status = await send(target, [Buffer.from(start), ...pieces], how)
  if (status === 201) await send(target, head('DELETE', `${PATH}/${n}`, { Authorization }), how)
  return status
}

/** An account, or as many as there are, which upload the same in lanes. */
const flood = (
  { accounts, lanes }: { accounts: 'one' | 'all'; lanes: number },
  body: Body,
): Attack['run'] => {
  return (target, signal) =>
    inLanes(lanes, signal, (n) => {
      const other = accounts === 'all' ? target.others[n % target.others.length] : undefined
      return putAndDelete(target, n, other ?? target.hostile, body, signal)
    })
}

const largeFiles: Attack = {
  name: 'large-files',
  what: 'one account that uploads files of 40 MB, 64 at a time',
  run: (target, signal) => flood({ accounts: 'one', lanes: 64 }, fileOf(40_000_000))(target, signal),
}

const largeForms: Attack = {
  name: 'large-forms',
  what: 'one account that uploads files of 40 MB as forms, 64 at a time',
  run: (target, signal) => flood({ accounts: 'one', lanes: 64 }, formOf(40_000_000))(target, signal),
}

const manyBodies: Attack = {
  name: 'many-bodies',
  what: '240 accounts that each upload a file of 8 MiB, all at a time',
  run: (target, signal) => flood({ accounts: 'all', lanes: 240 }, fileOf(8 * MIB))(target, signal),
}

const manyForms: Attack = {
  name: 'many-forms',
  what: '240 accounts that each upload a file of 8 MiB as a form, all at a time',
  run: (target, signal) => flood({ accounts: 'all', lanes: 240 }, formOf(8 * MIB))(target, signal),
}

const manyRequests: Attack = {
  name: 'many-requests',
  what: 'one account that keeps 384 connections busy with small uploads and deletes',
  run: (target, signal) =>
    inLanes(384, signal, (n) => putAndDelete(target, n, target.hostile, fileOf(1024), signal)),
}

export const floods: readonly Attack[] = [largeFiles, largeForms, manyBodies, manyForms, manyRequests]
