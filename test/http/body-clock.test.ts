import type { IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { withBodyClock } from '../../src/http/body-clock.js'

t.test('what has come and was not taken yet is no idle time of the client', async (t) => {
  const limits = { idleMs: 40, totalMs: 3_600_000 }
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
