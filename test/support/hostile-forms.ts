// Random multipart requests that are nearly right: what a fuzzer of bytes would take years to write.

import type { randomOf } from './random.js'

type Random = ReturnType<typeof randomOf>

/** Bytes of a request on their way. `rounds` of the event loop are let pass after each piece. */
export type Sending = {
  pieces: readonly Buffer[]
  /** What the client does after the last piece, instead of waiting for the answer. */
  leave?: 'close' | 'end' | undefined
  rounds?: number
}

const BOUNDARIES = [
  'b',
  'x'.repeat(70),
  'x'.repeat(71),
  'json',
  'octet-stream',
  '-',
  '--',
  "'()+_,-./:=?",
  ' ',
  'ü',
  'a b',
]
const ENCODINGS = [
  '7bit',
  '8bit',
  'binary',
  'base64',
  'quoted-printable',
  'utf8',
  'latin1',
  'hex',
  'x',
  '',
  '8BIT ',
]
const FIELD_HEADS = [
  'Content-Disposition: form-data; name="x"',
  'Content-Disposition: form-data',
  'Content-Disposition: form-data; name="__proto__"',
  'Content-Disposition: form-data; name="a"; name="b"',
  'Content-Disposition:',
  'X: y',
]
const FILE_HEADS = [
  'Content-Disposition: form-data; name="f"; filename="x"',
  'Content-Disposition: form-data; name="f"; filename="a"; filename="b"',
  'Content-Disposition: form-data; filename="',
  'Content-Disposition: form-data; filename=../../x',
  "Content-Disposition: form-data; filename*=UTF-8''x",
  'content-disposition: FORM-DATA; FILENAME="&#1234;%22\\"',
  'Content-Type: text/plain',
]
const ODD_HEADS = [
  'no colon',
  ': x',
  'X y: z',
  'X:\0',
  'X: \r',
  '\0',
  ' folded: x',
  `X: ${'x'.repeat(20_000)}`,
  'constructor: x',
]
const CONTENTS = [
  '',
  'x',
  '\r',
  '\n',
  '-',
  '--',
  '\r\n',
  '\r\n--',
  '\r\n--b',
  '\r\n--x',
  '\0',
  'MQ==',
  '=3D',
  '\r'.repeat(5000),
  'x'.repeat(70_000),
]

function partOf(random: Random): string {
  const isFile = random.once(2)
  const lines = [random.of(isFile ? FILE_HEADS : FIELD_HEADS)]
  if (random.once(2)) lines.push(`Content-Transfer-Encoding: ${random.of(ENCODINGS)}`)
  if (isFile && random.once(2)) lines.push('Content-Type: application/octet-stream')
  if (random.once(8)) lines.push(random.of(ODD_HEADS))
  if (random.once(8)) lines.reverse()
  if (random.once(8)) lines.push(random.of(lines))
  const content = Array.from({ length: random.below(4) }, () => random.of(CONTENTS)).join('')
  return `${lines.join('\r\n')}${random.once(20) ? '\r\n' : '\r\n\r\n'}${content}\r\n`
}

function bodyOf(random: Random, boundary: string): string {
  const count = random.once(2) ? 1 : random.once(50) ? 150 : random.below(5)
  const parts = Array.from({ length: count }, () => `--${boundary}\r\n${partOf(random)}`)
  const before = random.once(10) ? random.of(CONTENTS) : ''
  const end = random.once(5) ? random.of(['', `--${boundary}`, `--${boundary}-`, '--x--']) : `--${boundary}--`
  const after = random.once(10) ? random.of(CONTENTS) : '\r\n'
  return `${before}${parts.join('')}${end}${after}`
}

function typeOf(random: Random, boundary: string): string {
  if (random.once(20))
    return random.of([
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary="',
    ])
  const named = random.once(3) ? `"${boundary}"` : boundary
  return `multipart/form-data; boundary=${random.once(30) ? 'other' : named}`
}

// The body as the connection has it: with its length, with a wrong one, or in chunks, some of them broken.
function framed(random: Random, body: Buffer): { header: string; bytes: Buffer } {
  if (!random.once(3)) {
    const wrong = random.once(10) ? random.of([-1, 1, 1000, -body.length]) : 0
    return { header: `Content-Length: ${Math.max(0, body.length + wrong)}`, bytes: body }
  }
  const size = random.of([1, 10, 1000, 100_000])
  const chunks: Buffer[] = []
  for (let at = 0; at < body.length && chunks.length < 200;) {
    const chunk = body.subarray(at, at + (chunks.length === 199 ? body.length : size))
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
    at += chunk.length
  }
  chunks.push(Buffer.from(random.once(10) ? 'x\r\n' : '0\r\n\r\n'))
  return { header: 'Transfer-Encoding: chunked', bytes: Buffer.concat(chunks) }
}

function cut(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  const most = random.of([10, 1000, 1_000_000, 1_000_000])
  for (let at = 0; at < bytes.length;) {
    const size = pieces.length >= 20 ? bytes.length : 1 + random.below(most)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

/** A random `PUT` of a form to `path`. A third of the clients goes away, half of these in the middle. */
export function hostileForm(random: Random, authorization: string, path: string): Sending {
  const boundary = random.once(2) ? 'b' : random.of(BOUNDARIES)
  const { header, bytes } = framed(random, Buffer.from(bodyOf(random, boundary), 'latin1'))
  const headers = [
    `Authorization: ${authorization}`,
    `Content-Type: ${typeOf(random, boundary)}`,
    header,
    'Connection: close',
  ]
  const head = [`PUT ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n')
  const whole = Buffer.concat([Buffer.from(head, 'latin1'), bytes])
  const leave = random.once(3) ? random.of(['close', 'end'] as const) : undefined
  const sent = leave && random.once(2) ? whole.subarray(0, random.below(whole.length)) : whole
  return {
    pieces: cut(random, sent),
    leave: leave ?? (isShort(header, bytes) ? 'end' : undefined),
    rounds: random.below(3),
  }
}

/** Whether the body is shorter than it states: the service waits for the rest. */
const isShort = (header: string, bytes: Buffer): boolean =>
  header.startsWith('Content-Length')
    ? Number(header.slice(16)) > bytes.length
    : bytes.subarray(-3).toString() === 'x\r\n'
