// Forms that are made to hurt, on the service itself: whatever comes, it goes on, and gives back every upload slot, every
// folder in state/tmp and every descriptor.
//
// PLINTH_TEST_FORMS is the number of random forms (1000 when it is not set; 20000 was the proof), PLINTH_TEST_SEED what
// they are made from.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { hostileForm, type Sending } from '../support/hostile-forms.js'
import { AUTH } from '../support/http.js'
import { settledViolations } from '../support/invariants.js'
import { randomOf } from '../support/random.js'
import { askService, newData, runService } from '../support/service.js'
import { until } from '../support/until.js'

const COUNT = Number(process.env.PLINTH_TEST_FORMS ?? 1000)
const SEED = Number(process.env.PLINTH_TEST_SEED ?? 1)
const SLOTS = 8

const data = await newData({ fast: true })
const service = runService(data, { PLINTH_MAX_UPLOADS: String(4 * SLOTS) }) // one account has a quarter
t.teardown(() => service.end())
await service.ready()

const generic = (file: string): string => `/api/packages/admin/generic/tool/1.0/${file}`
const headOf = (path: string, headers: readonly string[]): string =>
  [`PUT ${path} HTTP/1.1`, 'Host: x', `Authorization: ${AUTH}`, ...headers, '', ''].join('\r\n')
const onTheWay = (): number => readdirSync(join(data, 'state/tmp')).length

const FDS = `/proc/${service.pid}/fd`
const descriptors = (): number => (existsSync(FDS) ? readdirSync(FDS).length : 0)
const memoryMB = (): number => {
  const status = `/proc/${service.pid}/status`
  if (!existsSync(status)) return 0
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]) / 1024)
}

/** Sends the pieces, then goes away as `leave` says, or waits for the answer. Resolves with the answer's status, or 0. */
const send = ({ pieces, leave, rounds = 0 }: Sending): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect(join(data, 'state/shim.sock'))
    let answer = ''
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') reject(error)
    })
    socket.on('data', (text: Buffer) => {
      answer += text.toString('latin1')
      if (leave === undefined) socket.destroy()
    })
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)))
    void sendPieces(socket, pieces, rounds).then(() => {
      if (leave === 'close') socket.destroy()
      else if (leave === 'end') socket.end()
    })
  })

async function sendPieces(socket: Socket, pieces: readonly Buffer[], rounds: number): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece)
    for (let round = 0; round <= rounds; round++) await setImmediate()
  }
}

/** So many at once as there are slots. A service that has died fails it. */
async function sendAll(sendings: Iterable<Sending>): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  const coming = sendings[Symbol.iterator]()
  const ended = service.ended.then(({ code }) => {
    throw new Error(`the service ended with code ${code}: ${service.log().slice(-2000)}`)
  })
  ended.catch(() => {})
  const workers = Array.from({ length: SLOTS }, async () => {
    for (let next = coming.next(); !next.done; next = coming.next()) {
      const status = await Promise.race([send(next.value), ended])
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  await Promise.all(workers)
  return statuses
}

/** Requests that take a slot each and wait for their last byte; `undefined` when one of them got an answer. */
async function holdSlots(what: string) {
  const held = Array.from({ length: SLOTS }, (_, slot) => {
    const socket = connect(join(data, 'state/shim.sock'))
    const status = new Promise<string>((resolve) => {
      socket.on('data', (text: Buffer) => resolve(text.toString().slice(9, 12)))
      socket.on('close', () => resolve('closed'))
    })
    socket.on('error', () => {})
    socket.write(headOf(generic(`${what}-${slot}`.replaceAll(' ', '-')), ['Content-Length: 1']))
    return { socket, status }
  })
  const answered = Promise.race(held.map(({ status }) => status))
  const answer = await Promise.race([until(() => onTheWay() === SLOTS), answered])
  if (answer === undefined) return held
  for (const { socket } of held) socket.destroy()
  return undefined
}

/** Every slot takes an upload, all at the same time. Resolves with the answers, or with nothing when one had no slot. */
async function takeSlots(what: string): Promise<Set<string>> {
  await until(() => onTheWay() === 0)
  const held = (await holdSlots(what)) ?? []
  for (const { socket } of held) socket.write('x')
  const statuses = await Promise.all(held.map(({ status }) => status))
  for (const { socket } of held) socket.destroy()
  return new Set(statuses)
}

/** How long a client that went away may have its turn yet, in ms: on a busy machine it is not even seen at once. */
const MOST_WAIT_MS = 120_000

/** Every slot is free, or soon is: one that is lost stays lost. Then nothing is left. */
async function mustBeFree(t: Test, what: string): Promise<void> {
  const end = performance.now() + MOST_WAIT_MS
  let statuses = await takeSlots(`${what}-0`)
  for (let tries = 1; String([...statuses]) !== '201' && performance.now() < end; tries++)
    statuses = await takeSlots(`${what}-${tries}`)
  t.same(statuses, new Set(['201']), `${what}: every slot is free, and takes an upload`)
  t.same(await settledViolations(data), [], `${what}: nothing is left`)
}

const FORM = [
  '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n',
  '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n',
  'Content-Transfer-Encoding: binary\r\n\r\ncontent\r\n--b--\r\n',
].join('')

const headersOf = (form: string): string[] => [
  'Content-Type: multipart/form-data; boundary=b',
  `Content-Length: ${form.length}`,
]

t.test('a field with a transfer encoding does not end the service', async (t) => {
  for (const encoding of ['8bit', '7bit', 'binary', 'base64', 'quoted-printable', 'x']) {
    const form = FORM.replace('"x"\r\n\r\n', `"x"\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`)
    const pieces = [Buffer.from(headOf(generic(`field-${encoding}`), headersOf(form)) + form)]
    t.equal(await send({ pieces }), 201, encoding)
  }
  await mustBeFree(t, 'fields')
})

const KINDS: [kind: string, headers: string[], body: string][] = [
  ['a form', headersOf(FORM), FORM],
  ['a raw body', ['Content-Length: 7'], 'content'],
]

t.test('a client that goes away right after the head gives its slot back', async (t) => {
  for (const [kind, headers, body] of KINDS) {
    const sendings = Array.from({ length: 20 * SLOTS }, (_, index): Sending => {
      const begun = index % 2 === 0 ? '' : body.slice(0, 3)
      const pieces = [Buffer.from(headOf(generic('left'), headers) + begun)]
      return { pieces, leave: 'close', rounds: index % 40 }
    })
    await sendAll(sendings)
    await mustBeFree(t, `head of ${kind}`)
  }
})

t.test('a client may go away at every byte', async (t) => {
  for (const [kind, headers, body] of KINDS) {
    const bytes = Buffer.from(headOf(generic('cut'), headers) + body)
    const sendings = Array.from({ length: bytes.length + 1 }, (_, length): Sending => {
      const leave = length % 3 === 0 ? 'end' : 'close'
      return { pieces: [bytes.subarray(0, length)], leave, rounds: length % 7 }
    })
    await sendAll(sendings)
    await mustBeFree(t, `bytes of ${kind}`)
  }
})

t.test('a client that goes away while its zip waits for a check gives its slot back', async (t) => {
  const body = Buffer.alloc(300_000, 'PK\x05\x06')
  const head = headOf('/api/packages/admin/go/upload', [`Content-Length: ${body.length}`])
  const sendings = Array.from({ length: 5 * SLOTS }, (_, index): Sending => {
    return { pieces: [Buffer.from(head), body], leave: 'close', rounds: index % 20 }
  })
  await sendAll(sendings)
  await mustBeFree(t, 'zips')
})

t.test('random forms: no crash, no slot, folder or descriptor is lost, memory is flat', async (t) => {
  const random = randomOf(SEED)
  function* forms(count: number): Generator<Sending> {
    for (let form = 0; form < count; form++) yield hostileForm(random, AUTH, generic('form'))
  }
  const all: [number, number][] = []
  const round = async (count: number, what: string) => {
    const begun = performance.now()
    const statuses = await sendAll(forms(count))
    const seconds = (performance.now() - begun) / 1000
    await mustBeFree(t, what)
    all.push(...statuses)
    const found = [...statuses].sort().map(([status, times]) => `${times} × ${status}`)
    t.comment(`${count} forms, ${Math.round(count / seconds)}/s: ${found.join(', ')}`)
    t.comment(`${memoryMB()} MB, ${descriptors()} descriptors`)
    return { memory: memoryMB(), descriptors: descriptors() }
  }
  const before = await round(Math.ceil(COUNT / 4), 'warm')
  const after = await round(COUNT - Math.ceil(COUNT / 4), 'all')
  await until(() => descriptors() <= before.descriptors)
  t.notOk(all.some(([status]) => status >= 500 && status !== 503), 'no answer is an error of ours') // prettier-ignore
  t.ok(all.some(([status]) => status === 201), 'a form was taken') // prettier-ignore
  t.ok(after.memory <= 1.5 * before.memory, `${before.memory} MB grew to ${after.memory} MB`)
  t.notMatch(service.log(), /"event":"(internal error|not settled|uncaught)"/)
  t.equal((await askService(data, 'DELETE', generic('form'))).status, 204)
})
