// The lines of the audit log for requests: changes of packages, and wrong credentials. Commands have their own.

import type { AuditedEnd, AuditLog } from '../audit/audit-log.js'
import { idOf, type RequestContext, type RequestMiddleware, type RequestState } from './request-state.js'

// {name: 'tool', version: '1.0', file: 'a.txt'} → tool@1.0/a.txt
/** What a request asks to change, by the parameters of its route. An uploaded module is known when it has been read. */
export function changeOf(
  method: string,
  params: Record<string, string>,
): NonNullable<RequestState['change']> {
  const { owner = '', name = params['module'], version, file } = params
  const kind = method === 'DELETE' ? 'delete' : 'publish'
  if (name === undefined) return { kind, owner }
  const ending = `${version === undefined ? '' : `@${version}`}${file === undefined ? '' : `/${file}`}`
  return { kind, owner, what: `${name}${ending}` }
}

/** Writes the line of a request before its answer goes out. Reads that nginx asks about are in nginx's log. */
export const auditRequests =
  (audit: AuditLog): RequestMiddleware =>
  async (ctx, next) => {
    await next()
    const { account, claimed, change, isQuiet, reason } = ctx.state
    const by = { account, claimed, address: ctx.ip, id: idOf(ctx) }
    const end = { ...resultOf(ctx), status: ctx.status, reason }
    if (isWrongLogin(ctx)) {
      if (!isQuiet) audit.record({ ...by, kind: 'login', owner: change?.owner, ...end })
    } else if (change && account !== undefined) audit.record({ ...by, ...change, ...end })
  }

// Without an account there is no change: the credentials were missing, or too many were wrong before.
const isWrongLogin = (ctx: RequestContext): boolean =>
  ctx.status === 401 && ctx.state.account === undefined && ctx.get('Authorization') !== ''

/** nginx's status for a client that has gone away. */
const GONE = 499

function resultOf({ status, state }: RequestContext): Pick<AuditedEnd, 'result'> {
  if (status < 300)
    return { result: status === 200 && state.change?.kind === 'publish' ? 'unchanged' : 'done' }
  return { result: status < 500 && status !== GONE ? 'refused' : 'failed' }
}
