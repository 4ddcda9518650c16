// An account that misbehaves as badly as it can, beside one that does not: the other's uploads are answered while the
// attack goes on. No times are compared, since machines are busy, but what is answered before what.

import { readdirSync, statfsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import t from 'tap'
import { makeAccount } from '../support/account.js'
import type { Answer } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { rawZip } from '../support/raw-zip.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

const UPLOAD = '/api/packages/team/go/upload'
const GENERIC = '/api/packages/team/generic'
const LARGE = 5_000_000

/** Zips of half a MiB, or of 5 MB, that take seconds to check: 475 MB come out of them. */
function makeBombs(): (version: string, padding?: number) => Buffer {
  const zeros = Buffer.alloc(95_000_000)
  const zero = { packed: deflateRawSync(zeros), size: zeros.length, crc32: crc32(zeros) }
  return (version, padding = 0) =>
    rawZip([
      ...[1, 2, 3, 4, 5].map((i) => ({ name: `example.com/bomb@${version}/${i}`, ...zero })),
      { name: `example.com/bomb@${version}/padding`, content: Buffer.alloc(padding), method: 0 },
    ])
}

/** Requests whose answers are counted as they come. */
function counted(requests: readonly Promise<Answer>[]) {
  const answers: Answer[] = []
  const over = Promise.allSettled(requests.map((request) => request.then((answer) => answers.push(answer))))
  return { answers, over, left: () => requests.length - answers.length }
}

/** A byte comes so often, in ms: nginx and the service end a body that stands still for a minute. */
const DRIP_MS = 10_000

/** Begins an upload of `length` bytes that hardly goes on. `heard` gets the first line of an answer. */
function hang(
  port: number,
  path: string,
  auth: string,
  length: number,
  heard: (line: string) => void,
): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.on('data', (text: Buffer) => heard(text.toString()))
  const head = [`PUT ${path} HTTP/1.1`, 'Host: x', `Authorization: ${auth}`, `Content-Length: ${length}`]
  socket.write([...head, '', 'x'].join('\r\n'))
  const drip = setInterval(() => socket.write('x'), DRIP_MS)
  socket.once('close', () => clearInterval(drip))
  return socket
}

t.test(
  'an account that hangs, floods and sends bombs is in the way of no other',
  needs('nginx'),
  async (t) => {
    // In memory: on a slow disk some of the bombs would be checked before good files are synced.
    const plinth = await startPlinth(
      {
        PLINTH_MAX_UPLOADS: '64',
        PLINTH_MAX_FILE_BYTES: String(Number.MAX_SAFE_INTEGER),
        PLINTH_BODY_MIN_RATE: '0',
        PLINTH_STOP_SECONDS: '1',
      },
      { fast: true },
    )
    t.teardown(plinth.stop)
    const { ask, port } = plinth
    const [bad, good] = [makeAccount(plinth, 'bad'), makeAccount(plinth, 'good')]
    const uploads = (): number => readdirSync(join(plinth.data, 'state/tmp')).length

    const bomb = makeBombs()
    const bombs = counted(
      [0, 1, 2, 3, 4].map((i) => ask('PUT', UPLOAD, { body: bomb(`v1.0.${i}`), auth: bad })),
    )
    const large = counted(
      [0, 1, 2].map((i) => ask('PUT', UPLOAD, { body: bomb(`v1.1.${i}`, LARGE), auth: bad })),
    )
    await until(() => uploads() >= 8 - bombs.answers.length - large.answers.length)

    const { bavail, bsize } = statfsSync(plinth.data)
    const length = Math.floor(0.8 * bavail * bsize)
    const heard: string[] = []
    const sockets = Array.from({ length: 80 }, (_, i) =>
      hang(port, `${GENERIC}/slow/1/${i}`, bad, length, (text) => heard.push(text)),
    )
    t.teardown(() => sockets.forEach((socket) => socket.destroy()))
    await until(() => heard.length >= 64 || uploads() >= 64)
    for (const text of heard)
      t.match(text, /^HTTP\/1\.1 503 [^]*account bad has \d+ uploads under way, which is its share/)

    const deletes = counted(
      Array.from({ length: 100 }, (_, i) => ask('DELETE', `${GENERIC}/none/1/${i}`, { auth: bad })),
    )
    for (const [i, body] of [Buffer.alloc(LARGE, 'x'), Buffer.from('small')].entries()) {
      const zip = await simpleModule('example.com/good', `v1.0.${i}`)
      t.match(await ask('PUT', UPLOAD, { body: zip, auth: good }), { status: 201 }, 'a small zip')
      t.match(await ask('PUT', `${GENERIC}/good/1/${i}`, { body, auth: good }), { status: 201 }, 'a file')
    }
    t.ok(bombs.left() >= 3, `${bombs.left()} of 5 small bombs have no answer yet`)
    const zip = rawZip([{ name: 'example.com/good@v1.1.0/large', content: Buffer.alloc(LARGE), method: 0 }])
    t.match(await ask('PUT', UPLOAD, { body: zip, auth: good }), { status: 201 }, 'a large zip')
    t.ok(large.left() >= 1, `${large.left()} of 3 large bombs have no answer yet`)
    await deletes.over
    for (const { status } of deletes.answers) t.equal(status, 404)

    const hanging = sockets.filter(({ destroyed, bytesRead }) => !destroyed && bytesRead === 0).length
    t.ok(hanging >= 8, `${hanging} uploads still hang`)
  },
)

t.test(
  'a flood of publishes of one module delays those of another account by a few',
  needs('nginx'),
  async (t) => {
    const plinth = await startPlinth()
    t.teardown(plinth.stop)
    const [bad, good] = [makeAccount(plinth, 'bad'), makeAccount(plinth, 'good')]
    const zipOf = (version: string): Promise<Buffer> => simpleModule('example.com/m', version)
    const zips = await Promise.all(Array.from({ length: 64 }, (_, i) => zipOf(`v1.${i}.0`)))
    const mine = await zipOf('v1.64.0')
    const flood = counted(zips.map((body) => plinth.ask('PUT', UPLOAD, { body, auth: bad })))
    await until(() => flood.answers.length > 0)
    const { status, body } = await plinth.ask('PUT', UPLOAD, { body: mine, auth: good })
    t.equal(status, 201, body)
    t.ok(flood.left() >= 8, `${flood.left()} of 64 have no answer yet`)
    await flood.over
    t.same(new Set(flood.answers.map((answer) => answer.status)), new Set([201]))
  },
)
