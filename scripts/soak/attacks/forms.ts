// Forms that break their parser, and clients that go away in the middle of one.

import { head, inLanes, send } from '../raw-request.js'
import type { Attack, Target } from '../target.js'

const BOUNDARY = 'soak-boundary'
const UPLOAD = '/api/packages/team/go/upload'

const formHead = ({ hostile }: Target, length: number, boundary = BOUNDARY): string =>
  head('PUT', UPLOAD, {
    Authorization: hostile,
    'Content-Type': `multipart/form-data; boundary=${boundary}`,
    'Content-Length': length,
  })

const part = (lines: readonly string[], content: string): string =>
  `--${BOUNDARY}\r\n${lines.join('\r\n')}\r\n\r\n${content}\r\n`
const end = `--${BOUNDARY}--\r\n`

const FIELD = 'Content-Disposition: form-data; name="x"'
const FILE = 'Content-Disposition: form-data; name="file"; filename="m.zip"'

const encoded = (disposition: string, encoding: string): string =>
  part([disposition, `Content-Transfer-Encoding: ${encoding}`], '1')

const ENCODINGS = ['8bit', '7bit', 'binary', 'base64', 'quoted-printable', 'utf-16', 'hex', 'x-no-such', '']

/** What a form may hold that a parser has fallen over. */
const BODIES: readonly string[] = [
  ...ENCODINGS.flatMap((encoding) => [
    encoded(FIELD, encoding) + part([FILE], 'no zip') + end,
    encoded(FILE, encoding) + end,
  ]),
  part([`${FIELD}; filename=`], 'x') + end,
  part([`${FIELD}; filename*=UTF-8''%ff%fe`], 'x') + end,
  part([FIELD, 'Content-Type: text/plain; charset=no-such'], 'x') + end,
  part(['Content-Disposition: form-data; name="__proto__"'], 'x') + part([FILE], 'x') + end,
  part(['Content-Disposition: form-data; name="constructor"; filename="__proto__"'], 'x') + end,
  part(['Content-Disposition: attachment'], 'x') + end,
  part([FILE, 'Content-Type: multipart/mixed; boundary=inner'], '--inner\r\n\r\nx\r\n--inner--') + end,
  part([''], 'x') + end,
  part([': no name'], 'x') + end,
  part([`${FILE}\0`], 'x') + end,
  part([`X-Long: ${'a'.repeat(70_000)}`, FILE], 'x') + end,
  part([FIELD], 'x').repeat(200) + part([FILE], 'x') + end,
  part([FILE], 'x').repeat(20) + end,
  part([FIELD], 'y'.repeat(100_000)) + end,
  `--${BOUNDARY}`,
  `--${BOUNDARY}\r\n`,
  `--${BOUNDARY}--`,
  `\r\n\r\n${end}`,
  '\0'.repeat(1000),
  '',
]

/** Forms whose head says one thing and whose body is another. */
const boundaries = ['', '"', `"${'b'.repeat(300)}"`, 'ü', 'a b', BOUNDARY]

const formFields: Attack = {
  name: 'form-fields',
  what: 'forms with odd encodings, heads, names, boundaries and counts',
  run: (target, signal) =>
    inLanes(8, signal, (n) => {
      const body = BODIES[n % BODIES.length] ?? ''
      const boundary = n % 10 === 9 ? boundaries[n % boundaries.length] : BOUNDARY
      return send(target, formHead(target, Buffer.byteLength(body), boundary) + body, { signal })
    }),
}

const abortedForms: Attack = {
  name: 'aborted-forms',
  what: 'clients that go away milliseconds after the head of a form, or in the middle of it',
  run: (target, signal) =>
    inLanes(24, signal, async (n) => {
      const whole = formHead(target, 100_000) + part([FIELD], 'x') + part([FILE], 'x'.repeat(5000))
      const cut = n % 3 === 0 ? whole.length : whole.indexOf('\r\n\r\n') + 4 + ((n * 7) % 400)
      await send(target, whole.slice(0, cut), { signal, leaveAfterMs: n % 6 })
      return 1
    }),
}

const abortedBodies: Attack = {
  name: 'aborted-bodies',
  what: 'clients that go away in the middle of a plain body',
  run: (target, signal) =>
    inLanes(24, signal, async (n) => {
      const path = `/api/packages/team/generic/aborted/1/${n % 50}`
      const start = head('PUT', path, { Authorization: target.hostile, 'Content-Length': 100_000 })
      await send(target, start + 'x'.repeat((n * 97) % 90_000), { signal, leaveAfterMs: n % 6 })
      return 1
    }),
}

export const forms: readonly Attack[] = [formFields, abortedForms, abortedBodies]
