// The lines of the audit log for jobs: what each changes, and when its line is written.

import type { AuditedBy, AuditedChange, AuditedEnd, AuditLog } from '../audit/audit-log.js'
import { messageOf, Refusal } from '../errors.js'
import type { Rights } from '../access/rights.js'
import type { JobName, JobTypes } from './jobs.js'

const rightsText = ({ admin, write, read }: Rights): string =>
  [
    ...(admin ? ['admin'] : []),
    ...write.map((owner) => `write:${owner}`),
    ...read.map((owner) => `read:${owner}`),
  ].join() || 'none'

/** What an owner is made; what stays as it is has no word. */
const ownerWords = (change: { public?: boolean; immutable?: boolean }): string =>
  [
    ...(change.public === undefined ? [] : [change.public ? 'public' : 'private']),
    ...(change.immutable === undefined ? [] : [change.immutable ? 'immutable' : 'mutable']),
  ].join()

type Changes = { [Name in JobName]: (request: JobTypes[Name]['request']) => AuditedChange | undefined }

/** What a request changes; `undefined` for one that only looks, or whose changes are told one by one. */
const CHANGES: Changes = {
  account(request) {
    if (request.action === 'list' || request.action === 'show') return undefined
    return {
      kind: 'account',
      action: request.action,
      what: request.name,
      ...('rights' in request && request.rights && { rights: rightsText(request.rights) }),
      ...('expires' in request && request.expires !== undefined && { expires: request.expires ?? 'never' }),
    }
  },
  owner(request) {
    if (request.action === 'list') return undefined
    return { kind: 'owner', action: request.action, owner: request.name, what: ownerWords(request) }
  },
  removal: ({ owner, withPackages }) => ({
    kind: 'owner',
    action: 'remove',
    owner,
    what: withPackages ? 'with packages' : undefined,
  }),
  deletion: ({ owner, name, version, file }) => ({
    kind: 'delete',
    owner,
    what: `${name}${version === undefined ? '' : `@${version}`}${file === undefined ? '' : `/${file}`}`,
  }),
  database(request) {
    if (request.action === 'show' || ('dry' in request && request.dry)) return undefined
    const name = 'name' in request ? request.name : undefined
    return { kind: 'owner', action: `sumdb ${request.action}`, owner: request.owner, what: name }
  },
  import: () => undefined,
  status: () => undefined,
  recovery: () => undefined,
  backup: () => undefined,
  touched: () => undefined,
  hold: () => undefined,
  inspection: () => undefined, // what it makes again follows from what is there
}

/** How a failure is told. */
export const endOf = (error: unknown): AuditedEnd => ({
  result: error instanceof Refusal && error.status < 500 ? 'refused' : 'failed',
  reason: messageOf(error),
})

/** Writes the line of the job `name` when it is called for the first time; none for a job that changes nothing. */
export function lineOf<Name extends JobName>(
  audit: AuditLog,
  name: Name,
  request: JobTypes[Name]['request'],
  by: AuditedBy,
): (end: AuditedEnd) => void {
  const change = CHANGES[name](request)
  let told = change === undefined
  return (end) => {
    if (!told) audit.record({ ...by, ...(change as AuditedChange), ...end })
    told = true
  }
}

/** The events of a job. Its line is written before its last event is passed on, or when it fails or is cut off. */
export async function* audited<Name extends JobName>(
  audit: AuditLog,
  name: Name,
  request: JobTypes[Name]['request'],
  by: AuditedBy,
  events: AsyncGenerator<JobTypes[Name]['event']>,
): AsyncGenerator<JobTypes[Name]['event']> {
  const tell = lineOf(audit, name, request, by)
  try {
    for await (const event of events) {
      if ('outcome' in event && event.outcome.result === 'published' && 'dry' in request && !request.dry)
        audit.record({
          ...by,
          kind: 'publish',
          owner: request.owner,
          what: event.outcome.version,
          result: 'done',
        })
      if ('done' in event && event.done) tell({ result: 'done' })
      yield event
    }
  } catch (error) {
    tell(endOf(error))
    throw error
  } finally {
    tell({ result: 'failed', reason: 'it was cut off' })
  }
}
