// Counts requests by what they were for and how they ended. No label has a word of a client: so their number is fixed.

import { Counter, Histogram, type Registry } from 'prom-client'
import type { RequestContext, RequestMiddleware } from '../http/request-state.js'

/** Seconds: from a small file to a large module on a slow line. */
const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600]

const KINDS = ['go', 'generic'] as const
type Kind = (typeof KINDS)[number]

/** What a request was for. `read` is a question of nginx about credentials. */
const PURPOSES = ['upload', 'delete', 'read', 'api', 'command', 'other'] as const
type Purpose = (typeof PURPOSES)[number]

const CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const

const RESULTS: Readonly<Record<number, string>> = {
  200: 'already_there',
  201: 'published',
  204: 'deleted',
  400: 'refused',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  408: 'too_slow',
  409: 'conflict',
  413: 'too_large',
  429: 'too_many',
  499: 'client_gone',
  503: 'busy',
  507: 'no_room',
}
/** Results that uploads, or deletes, do not have. */
const NOT_OF_UPLOADS = ['deleted']
const NOT_OF_DELETES = ['already_there', 'published', 'conflict', 'too_slow', 'too_large', 'no_room']

const resultOf = (status: number): string => RESULTS[status] ?? (status >= 500 ? 'error' : 'other')
const allBut = (others: readonly string[]): string[] =>
  [...Object.values(RESULTS), 'error', 'other'].filter((result) => !others.includes(result))

// PUT /api/packages/team/go/upload → upload of go; DELETE /api/v1/packages/team/generic/tool/1.0 → delete of generic
function aimOf({ method, path }: RequestContext): { purpose: Purpose; kind?: Kind } {
  const [, api, kind] = /^\/api\/(v1\/)?packages\/[^/]+\/(go|generic)\//.exec(path) ?? []
  const isWrite = api === undefined && ['PUT', 'POST'].includes(method)
  if (kind !== undefined && isWrite) return { purpose: 'upload', kind: kind as Kind }
  if (kind !== undefined && method === 'DELETE') return { purpose: 'delete', kind: kind as Kind }
  if (path === '/-/asked') return { purpose: 'read' }
  if (path.startsWith('/api/v1/')) return { purpose: 'api' }
  return { purpose: path.startsWith('/-/commands/') ? 'command' : 'other' }
}

export class RequestMetrics {
  readonly #requests: Counter
  readonly #uploads: Counter
  readonly #deletes: Counter
  readonly #bytes: Counter
  readonly #uploadSeconds: Histogram
  readonly #deleteSeconds: Histogram
  readonly #failedLogins: Counter

  constructor(registry: Registry) {
    const registers = [registry]
    const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
      new Counter({ name, help, labelNames, registers })
    const histogram = (name: string, help: string): Histogram =>
      new Histogram({ name, help, labelNames: ['kind'], buckets: SECONDS, registers })
    this.#requests = counter(
      'plinth_requests_total',
      'Requests that the service has answered, by purpose and class of status.',
      'purpose',
      'class',
    )
    this.#uploads = counter(
      'plinth_uploads_total',
      'Uploads over HTTP, by kind and result.',
      'kind',
      'result',
    )
    this.#deletes = counter(
      'plinth_deletes_total',
      'Requests to delete, by kind and result.',
      'kind',
      'result',
    )
    this.#bytes = counter(
      'plinth_upload_bytes_total',
      'Bytes of bodies that came whole, published or not.',
      'kind',
    )
    this.#uploadSeconds = histogram(
      'plinth_upload_duration_seconds',
      'Time from the head of an upload that was published to its answer.',
    )
    this.#deleteSeconds = histogram(
      'plinth_delete_duration_seconds',
      'Time from a request that deleted something to its answer.',
    )
    this.#failedLogins = counter(
      'plinth_failed_logins_total',
      'Requests whose credentials were wrong or gave no right to what was asked, reads included.',
    )
    this.#beginWithZero()
  }

  /** A counter that appears with its first event has no increase before the second one. */
  #beginWithZero(): void {
    for (const purpose of PURPOSES)
      for (const each of CLASSES) this.#requests.inc({ purpose, class: each }, 0)
    for (const kind of KINDS) {
      for (const result of allBut(NOT_OF_UPLOADS)) this.#uploads.inc({ kind, result }, 0)
      for (const result of allBut(NOT_OF_DELETES)) this.#deletes.inc({ kind, result }, 0)
      this.#bytes.inc({ kind }, 0)
      this.#uploadSeconds.zero({ kind })
      this.#deleteSeconds.zero({ kind })
    }
  }

  /** The outermost middleware. */
  readonly observe: RequestMiddleware = async (ctx, next) => {
    const begun = performance.now()
    await next()
    this.#count(ctx, (performance.now() - begun) / 1000)
  }

  #count(ctx: RequestContext, seconds: number): void {
    const { status } = ctx
    const { purpose, kind } = aimOf(ctx)
    const statusClass = CLASSES[Math.floor(status / 100) - 2] ?? '5xx'
    this.#requests.inc({ purpose, class: statusClass })
    if ([401, 429].includes(status) && ctx.get('Authorization') !== '') this.#failedLogins.inc()
    if (kind === undefined) return
    if (purpose === 'delete') {
      this.#deletes.inc({ kind, result: known(resultOf(status), NOT_OF_DELETES) })
      if (status === 204) this.#deleteSeconds.observe({ kind }, seconds)
      return
    }
    this.#uploads.inc({ kind, result: known(resultOf(status), NOT_OF_UPLOADS) })
    if (ctx.state.bytes !== undefined) this.#bytes.inc({ kind }, ctx.state.bytes)
    if (status === 201) this.#uploadSeconds.observe({ kind }, seconds)
  }
}

const known = (result: string, others: readonly string[]): string =>
  others.includes(result) ? 'other' : result
