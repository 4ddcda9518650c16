// `/-/ready`: whether the service takes uploads now, for load balancers and supervisors. Anybody may ask: the answer
// has no name and no path.

import type { Admission } from './admission.js'
import type { RequestMiddleware } from './request-state.js'

type Ready = { ready: boolean; checks: { name: string; ok: boolean; reason?: string }[] }

/** Finds out; see service/readiness.ts. */
export type AskReady = { report: () => Promise<Ready> }

const PATH = '/-/ready'
const STOPPING = { name: 'service', ok: false, reason: 'it is being stopped or restarted' }

/** Middleware that answers `GET /-/ready`: 200 or 503 with JSON, also while the service is being stopped. */
export const answerReady =
  (readiness: AskReady, admission: Admission): RequestMiddleware =>
  async (ctx, next) => {
    if (ctx.path !== PATH || !['GET', 'HEAD'].includes(ctx.method)) return next()
    ctx.state.isQuiet = true
    const report = await readiness.report()
    const checks = admission.isStopping ? [STOPPING, ...report.checks] : report.checks
    const ready = report.ready && !admission.isStopping
    ctx.status = ready ? 200 : 503
    ctx.set('Cache-Control', 'no-store')
    if (!ready) ctx.set('Retry-After', '5')
    ctx.body = { status: ready ? 'ready' : 'not ready', checks }
  }
