// What nginx says of itself (ngx_http_stub_status_module), on a socket of its own.

import { request } from 'node:http'
import { text } from 'node:stream/consumers'

/** Connections now, by state, and all since nginx was started. */
type NginxStatus = {
  connections: { active: number; reading: number; writing: number; waiting: number }
  accepted: number
  handled: number
  requests: number
}

/** How long nginx may take, in ms. */
const ANSWER_MS = 1000

const STATUS = new RegExp(
  /^Active connections: (\d+)\s+server accepts handled requests\s+(\d+) (\d+) (\d+)\s+/.source +
    /Reading: (\d+) Writing: (\d+) Waiting: (\d+)\s*$/.source,
)

/** Reads the text of the module; `undefined` for any other text. */
export function parseNginxStatus(page: string): NginxStatus | undefined {
  const numbers = STATUS.exec(page)?.slice(1).map(Number)
  if (!numbers) return undefined
  const [active = 0, accepted = 0, handled = 0, requests = 0, reading = 0, writing = 0, waiting = 0] = numbers
  return { connections: { active, reading, writing, waiting }, accepted, handled, requests }
}

/** Asks nginx; `undefined` when it does not answer in time. */
export async function askNginx(socketPath: string, path: string): Promise<NginxStatus | undefined> {
  try {
    return parseNginxStatus(await get(socketPath, path))
  } catch {
    return undefined // it does not run
  }
}

const get = (socketPath: string, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const req = request({ socketPath, path, agent: false, signal, headers: { host: 'plinth' } }, (res) =>
      text(res).then(resolve, reject),
    )
    req.on('error', reject)
    req.end()
  })
