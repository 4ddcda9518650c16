// Asks a Plinth elsewhere whether reads and uploads are possible.

import { messageOf } from '../errors.js'
import { parseJson } from '../store/parse-json.js'
import { ask } from './http.js'
import type { Remote } from './server.js'

/** How long a server may take for one of the two answers. */
const IDLE_MS = 10_000
/** Checks that are shown of a server. */
const MOST_CHECKS = 50

/** `reason` says why it is not possible. */
type Side = { ok: boolean; reason?: string; checks?: { name: string; ok: boolean; reason?: string }[] }

const textOr = (value: unknown, other: string): string => (typeof value === 'string' ? value : other)

/** What an answer to `/-/health` or `/-/ready` says. */
export function sideOf(status: number, body: string): Side {
  if (status !== 200 && status !== 503)
    return { ok: false, reason: `HTTP ${status}: this is no Plinth, or an older one` }
  const { reason, checks } = (parseJson(body) ?? {}) as { reason?: unknown; checks?: unknown }
  const list = (Array.isArray(checks) ? checks.slice(0, MOST_CHECKS) : []) as Record<string, unknown>[]
  return {
    ok: status === 200,
    ...(typeof reason === 'string' && { reason }),
    ...(list.length > 0 && {
      checks: list.map((check) => ({
        name: textOr(check?.['name'], '?'),
        ok: check?.['ok'] === true,
        ...(check?.['ok'] !== true && { reason: textOr(check?.['reason'], 'not ok') }),
      })),
    }),
  }
}

async function asked(url: string): Promise<Side> {
  try {
    const { status, body } = await ask({ method: 'GET', url, headers: {}, idleMs: IDLE_MS })
    return sideOf(status, body)
  } catch (error) {
    return { ok: false, reason: messageOf(error) }
  }
}

/** What the server says of itself. A server that cannot be asked is not possible to use: no error. */
export async function healthOf({ base }: Remote): Promise<{ reads: Side; uploads: Side }> {
  const [reads, uploads] = await Promise.all([asked(`${base}/-/health`), asked(`${base}/-/ready`)])
  return { reads, uploads }
}
