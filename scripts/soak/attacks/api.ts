// Gitea's API, and reads of private packages that nginx asks the service about.

import { head, inLanes, send } from '../raw-request.js'
import type { Attack } from '../target.js'

const LISTS = [
  '/api/v1/packages/team?limit=50&page=1',
  '/api/v1/packages/team?limit=50&page=999999999',
  `/api/v1/packages/team?q=${'a'.repeat(2000)}`,
  '/api/v1/packages/team?type=generic&q=o&page=3',
  '/api/v1/packages/team/generic/flood',
  '/api/v1/packages/team/generic/flood/1/files',
  '/api/v1/packages/team/generic/flood/-/latest',
  '/api/v1/packages/team/go/example.com%2Fno-such-module/v1.0.0',
  '/api/v1/packages/private',
  '/api/v1/version',
]

const lists: Attack = {
  name: 'api-lists',
  what: "lists, files and hashes of Gitea's API, from one address and from many, beside changes of what they list",
  run: (target, signal) =>
    inLanes(32, signal, (n) => {
      const from = n % 2 === 0 ? `127.0.${1 + (n % 200)}.${1 + (n % 250)}` : '127.0.0.67'
      const path = LISTS[n % LISTS.length] ?? ''
      if (n % 10 !== 9) return send(target, head('GET', path, {}), { signal, from })
      const [method, length] = n % 20 === 9 ? ['PUT', 1] : ['DELETE', 0]
      const headers = { Authorization: target.hostile, 'Content-Length': length }
      return send(target, `${head(method, `/api/packages/team/generic/listed/${n % 100}/x`, headers)}x`, {
        signal,
        from,
      })
    }),
}

const askedReads: Attack = {
  name: 'asked-reads',
  what: 'reads of private packages with right and wrong tokens, in spellings that nginx asks the service about',
  run: (target, signal) =>
    inLanes(32, signal, (n) => {
      const token =
        Buffer.from(target.hostile.split(' ')[1] ?? '', 'base64')
          .toString()
          .split(':')[1] ?? ''
      const Authorization = n % 2 === 0 ? `Bearer ${token}` : `token wrong-${n}`
      const path = n % 3 === 0 ? '/private/' : '/api/packages/private/generic/still/1/file'
      return send(target, head('GET', path, { Authorization }), { signal, from: `127.0.3.${1 + (n % 250)}` })
    }),
}

export const api: readonly Attack[] = [lists, askedReads]
