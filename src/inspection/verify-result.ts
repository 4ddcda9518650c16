// What the last verify found, kept for metrics. That of everything and that of a part are kept apart: no part is taken
// for the whole.

import { messageOf } from '../errors.js'
import { verifyPartPath, verifyResultPath } from '../layout.js'
import type { Log } from '../log.js'
import { parseJson } from '../store/parse-json.js'
import type { Store } from '../store/store.js'
import type { InspectionEvent } from './finding.js'

/** `time` is when it ended, in ISO 8601; it took `seconds`. */
type VerifyResult = { time: string; findings: number; seconds: number }

/**
 * Passes the events of a verify on, and keeps its result when it ends. One that does not end leaves the one before.
 * `sample`, `since`: it looks at a part.
 */
export async function* rememberingResult(
  { store, log }: { store: Store; log: Log },
  events: AsyncGenerator<InspectionEvent>,
  { sample, since }: { sample?: unknown; since?: unknown } = {},
): AsyncGenerator<InspectionEvent> {
  const begun = performance.now()
  const isPart = sample !== undefined || since !== undefined
  for await (const event of events) {
    if ('totals' in event && event.done) {
      const seconds = Math.round(performance.now() - begun) / 1000
      const result = { time: new Date().toISOString(), findings: event.totals.faults, seconds }
      // What was found is told all the same: a disk that takes nothing is not a reason to fail.
      await keep(store, result, isPart).catch((error: unknown) =>
        log('warn', 'the result of verify could not be kept', { reason: messageOf(error) }),
      )
    }
    yield event
  }
}

async function keep(store: Store, result: VerifyResult, isPart: boolean): Promise<void> {
  const path = isPart ? verifyPartPath : verifyResultPath
  // A part looks elsewhere than the one before did: what that found stays until everything was looked at.
  const before = isPart ? await readResult(store, path).catch(() => undefined) : undefined // a damaged one goes
  const findings = Math.max(result.findings, before?.findings ?? 0)
  await store.write(path, `${JSON.stringify({ ...result, findings })}\n`, { secret: true })
  if (!isPart) await store.remove(verifyPartPath) // the whole has found what it had found
  await store.sync('state')
}

/**
 * The result of the last verify of everything, and of a part after it; `undefined` when there is none. Throws for a
 * file that is damaged.
 */
export async function readVerifyResults(
  store: Store,
): Promise<{ whole: VerifyResult | undefined; part: VerifyResult | undefined }> {
  return { whole: await readResult(store, verifyResultPath), part: await readResult(store, verifyPartPath) }
}

async function readResult(store: Store, path: string): Promise<VerifyResult | undefined> {
  const text = await store.read(path)
  if (text === undefined) return undefined
  const { time, findings, seconds } = Object(parseJson(text.toString())) as Record<string, unknown>
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time)))
    throw new Error(`${path} is damaged: run verify again`)
  if (typeof findings !== 'number' || typeof seconds !== 'number')
    throw new Error(`${path} is damaged: run verify again`)
  return { time, findings, seconds }
}
