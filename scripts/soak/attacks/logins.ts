// Credentials, wrong and right, beside many accounts.

import { newToken } from '../../../src/access/token.js'
import { basic, writeAccount } from '../accounts.js'
import { head, inLanes, send } from '../raw-request.js'
import type { Attack, Target } from '../target.js'

function addIdleAccounts({ data }: Target, count: number): void {
  for (let n = 0; n < count; n++)
    writeAccount(data, `idle${n}`, newToken(), { admin: false, read: ['team'], write: [] })
}

const wrongCredentials = (n: number): string => {
  const spellings = [
    basic('admin', newToken()),
    basic(`nobody${n}`, newToken()),
    basic(newToken(), ''),
    `Bearer ${newToken()}`,
    `token ${newToken()}`,
    basic(`idle${n % 500}`, 'x'.repeat(2000)),
    'Basic ????',
  ]
  return spellings[n % spellings.length] ?? ''
}

const wrongLogins: Attack = {
  name: 'wrong-logins',
  what: 'wrong credentials on writes and reads, from one address and from many, beside 500 accounts',
  prepare: (target) => addIdleAccounts(target, 500),
  run: (target, signal) =>
    inLanes(32, signal, (n) => {
      const from = n % 2 === 0 ? `127.0.${1 + (n % 200)}.${1 + (n % 250)}` : '127.0.0.66'
      const [method, path] =
        n % 4 === 3
          ? ['GET', '/api/packages/private/generic/still/1/file']
          : ['PUT', `/api/packages/team/generic/wrong/1/${n}`]
      const headers = { Authorization: wrongCredentials(n), ...(method === 'PUT' && { 'Content-Length': 1 }) }
      return send(target, `${head(method ?? '', path ?? '', headers)}x`, { signal, from })
    }),
}

const manyAccounts: Attack = {
  name: 'many-accounts',
  what: 'right credentials at full speed beside 2,000 accounts',
  prepare: (target) => addIdleAccounts(target, 2000),
  run: (target, signal) =>
    inLanes(16, signal, (n) => {
      const Authorization = n % 2 === 0 ? target.hostile : (target.others[n % target.others.length] ?? '')
      const path = `/api/packages/team/generic/none/1/${n}`
      return send(target, head('DELETE', path, { Authorization }), { signal })
    }),
}

export const logins: readonly Attack[] = [wrongLogins, manyAccounts]
