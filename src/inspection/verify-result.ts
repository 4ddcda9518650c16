// What the last verify of everything found, kept for metrics.

import { messageOf } from '../errors.js'
import { verifyResultPath } from '../layout.js'
import type { Log } from '../log.js'
import { parseJson } from '../store/parse-json.js'
import type { Store } from '../store/store.js'
import type { InspectionEvent } from './finding.js'

/** `time` is when it ended, in ISO 8601; it took `seconds`. */
type VerifyResult = { time: string; findings: number; seconds: number }

/** Passes the events of a verify on, and keeps its result when it ends. One that does not end leaves the one before. */
export async function* rememberingResult(
  { store, log }: { store: Store; log: Log },
  events: AsyncGenerator<InspectionEvent>,
): AsyncGenerator<InspectionEvent> {
  const begun = performance.now()
  for await (const event of events) {
    if ('totals' in event && event.done) {
      const seconds = Math.round(performance.now() - begun) / 1000
      const result = { time: new Date().toISOString(), findings: event.totals.faults, seconds }
      // What was found is told all the same: a disk that takes nothing is not a reason to fail.
      await keep(store, result).catch((error: unknown) =>
        log('warn', 'the result of verify could not be kept', { reason: messageOf(error) }),
      )
    }
    yield event
  }
}

async function keep(store: Store, result: VerifyResult): Promise<void> {
  await store.write(verifyResultPath, `${JSON.stringify(result)}\n`, { secret: true })
  await store.sync('state')
}

/** The result of the last one; `undefined` when there is none. Throws for a file that is damaged. */
export async function readVerifyResult(store: Store): Promise<VerifyResult | undefined> {
  const text = await store.read(verifyResultPath)
  if (text === undefined) return undefined
  const { time, findings, seconds } = Object(parseJson(text.toString())) as Record<string, unknown>
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time)))
    throw new Error(`${verifyResultPath} is damaged: run verify again`)
  if (typeof findings !== 'number' || typeof seconds !== 'number')
    throw new Error(`${verifyResultPath} is damaged: run verify again`)
  return { time, findings, seconds }
}
