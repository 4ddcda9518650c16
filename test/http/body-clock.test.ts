import type { IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { withBodyClock } from '../../src/http/body-clock.js'

t.test('what has come and was not taken yet is no idle time of the client', async (t) => {
  const limits = { idleMs: 40, totalMs: 3_600_000, leastRate: 1024 }
  const req = { socket: { bytesRead: 1 }, readableLength: 1 }
  const clocked = (read: (expired: Promise<never>) => Promise<unknown>) =>
    withBodyClock(req as unknown as IncomingMessage, limits, read)
  const we = await clocked((expired) => Promise.race([wait(10 * limits.idleMs, 'in time'), expired]))
  t.equal(we, 'in time', 'we are slow')
  req.readableLength = 0
  await t.rejects(
    clocked((expired) => expired),
    { message: /no byte of the body came/ },
    'the client is',
  )
})

const SECONDS = 1000
const limits = { idleMs: 50 * SECONDS, totalMs: 7200 * SECONDS, leastRate: 1024 }

/** The second at which a body is refused, and why. `comes` gives its bytes so far; `waits` tells when we are behind. */
async function refusedAt(
  comes: (second: number) => number,
  { waits = (_second: number): boolean => false, leastRate = limits.leastRate } = {},
) {
  const req = { socket: { bytesRead: 500 }, readableLength: 0 } // 500 bytes of the head
  let second = 0
  let look = (): void => {}
  const clock = {
    now: () => second * SECONDS,
    every: (_ms: number, looking: () => void) => ((look = looking), () => {}),
  }
  const refusals: string[] = []
  await withBodyClock(
    req as unknown as IncomingMessage,
    { ...limits, leastRate },
    async (expired) => {
      expired.catch((error: Error) => refusals.push(`${second} s: ${error.message.split(':')[0]}`))
      for (; second <= 7200 && refusals.length === 0; second++) {
        req.socket.bytesRead = 500 + comes(second)
        req.readableLength = waits(second) ? 1 : 0
        look()
        await Promise.resolve()
        await Promise.resolve()
      }
    },
    clock,
  )
  return refusals[0]
}

const slow = 'fewer than 1024 bytes of the body came a second'
for (const [what, refused, ...body] of [
  ['a byte a second', `60 s: ${slow}`, (second: number) => second],
  ['just under the rate', `60 s: ${slow}`, (second: number) => 1023 * second],
  ['just the rate', '7200 s: the body took over 7200 s', (second: number) => 1024 * second],
  [
    'a slow start',
    '7200 s: the body took over 7200 s',
    (second: number) => (second < 59 ? second : 1e9 + second),
  ],
  ['1 MiB at once, then a byte a second', `1026 s: ${slow}`, (second: number) => 2 ** 20 + second],
  ['nothing', '50 s: no byte of the body came for 50 s', () => 0],
  [
    'a byte a second when there is no limit',
    '7200 s: the body took over 7200 s',
    (second: number) => second,
    { leastRate: 0 },
  ],
  [
    'a body that waits for us nine tenths of the time',
    `600 s: ${slow}`,
    (second: number) => second,
    { waits: (second: number) => second % 10 !== 0 },
  ],
] as const)
  t.test(`a body's rate: ${what}`, async (t) => t.equal(await refusedAt(body[0], body[1]), refused))
