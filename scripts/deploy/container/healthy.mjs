// The container's health check: exit code 0 while nginx answers at PLINTH_LISTEN. A service that is down is not the
// container's illness: reads go on, and the supervisor starts it again.

import { request as plain } from 'node:http'
import { request as encrypted } from 'node:https'

const { PLINTH_LISTEN = '127.0.0.1:8080', PLINTH_TLS_CERT } = process.env
const [, host, port] = /^(.*):(\d+)$/.exec(PLINTH_LISTEN.split(',')[0].trim()) ?? []
const here =
  { '*': '127.0.0.1', '0.0.0.0': '127.0.0.1', '[::]': '::1' }[host] ?? host?.replace(/^\[|\]$/g, '')
const request = PLINTH_TLS_CERT ? encrypted : plain
const ill = (reason) => {
  process.stderr.write(`${reason}\n`)
  process.exit(1)
}
// The certificate is for clients, who know the server by another name.
const asked = request(
  { host: here, port, path: '/-/health', rejectUnauthorized: false, timeout: 4000 },
  (res) => {
    if (res.statusCode === 200) process.exit(0)
    ill(`/-/health: ${res.statusCode}`)
  },
)
asked.once('timeout', () => ill('/-/health: no answer within 4 s'))
asked.once('error', (error) => ill(`/-/health: ${error.message}`))
asked.end()
