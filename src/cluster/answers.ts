// What a machine answers by itself when no active service does: the words of the shipped nginx for a service that does
// not run, in the form that each kind of client reads. Pure.

/** An answer that is whole. */
export type OwnAnswer = { status: number; headers: Record<string, string>; body: string }

const RETRY_SECONDS = 5

const JSON_TYPE = 'application/json; charset=utf-8'
const TEXT_TYPE = 'text/plain; charset=utf-8'

function answer(status: number, type: string, body: string, headers: Record<string, string> = {}): OwnAnswer {
  const common = {
    'Content-Type': type,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  }
  return { status, headers: { ...common, ...headers }, body }
}

// '/-/ready?x' → '/-/ready'
const pathOf = (url: string): string => url.split('?', 1)[0] ?? ''

/** Whether a request asks if uploads are possible. */
export const asksWhetherReady = (method: string, url: string): boolean =>
  pathOf(url) === '/-/ready' && ['GET', 'HEAD'].includes(method)

/** The 503 for a request that nothing was done of, or nobody knows what, for the reason `why`. */
export function unavailable(method: string, url: string, why: string): OwnAnswer {
  const later = { 'Retry-After': String(RETRY_SECONDS) }
  if (asksWhetherReady(method, url)) {
    const checks = [{ name: 'service', ok: false, reason: why }]
    return answer(503, JSON_TYPE, JSON.stringify({ status: 'not ready', checks }), later)
  }
  const path = pathOf(url)
  if (path.startsWith('/api/v1/') || path === '/api/v1')
    return answer(
      503,
      JSON_TYPE,
      `${JSON.stringify({ message: `${why}; reads of packages go on`, url: '' })}\n`,
      later,
    )
  const text = ['GET', 'HEAD'].includes(method)
    ? `this needs the service: ${why}`
    : `uploads and deletes are not possible at the moment: ${why}; reads go on`
  return answer(503, TEXT_TYPE, `${text}\n`, later)
}

/** An answer to a request that is passed on to nobody. `why` is in lower case, without a full stop. */
export const refused = (status: number, why: string): OwnAnswer => answer(status, TEXT_TYPE, `${why}\n`)
