// What a line of a log says, whichever log it is of: the audit log, the service's, or one of nginx's. Pure.

import { packagesFolder, urlPath } from '../layout.js'

/** What a line is about. `read` and `service` are in no audit log; `gap`: lines are missing. */
export const ENTRY_KINDS = [
  'publish',
  'delete',
  'account',
  'owner',
  'login',
  'read',
  'gap',
  'service',
] as const
type EntryKind = (typeof ENTRY_KINDS)[number]

type Fields = Readonly<Record<string, unknown>>

type LogEntry = {
  /** In ms since the epoch. */
  time: number
  kind: EntryKind
  owner: string | undefined
  /** The line as it was. */
  fields: Fields
}

/** Everything that is given must fit. `since` is in ms since the epoch. */
export type LogFilter = { since?: number; owner?: string; account?: string; kind?: string }

const textIn = (fields: Fields, name: string): string | undefined => {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Reads a line. `undefined` when it is none of a log. */
export function parseEntry(line: string): LogEntry | undefined {
  const fields = objectIn(line)
  const time = Date.parse(textIn(fields, 'time') ?? '')
  if (Number.isNaN(time) || textIn(fields, 'event') === undefined) return undefined
  return { time, kind: kindOf(fields), owner: ownerOf(fields), fields }
}

function objectIn(text: string): Fields {
  try {
    return Object(JSON.parse(text)) as Fields
  } catch {
    return {}
  }
}

/** The events of commands from elsewhere. */
const COMMAND_KINDS: Readonly<Record<string, EntryKind>> = {
  account: 'account',
  owner: 'owner',
  removal: 'owner',
}

function kindOf(fields: Fields): EntryKind {
  const event = textIn(fields, 'event') ?? ''
  if (event === 'audit') return ENTRY_KINDS.find((kind) => kind === fields['kind']) ?? 'service'
  if (event === 'request' || event === 'access') return kindOfRequest(fields)
  if (event === 'refused') return 'login'
  if (event === 'inbox' && textIn(fields, 'path') !== undefined) return 'publish'
  return Object.hasOwn(COMMAND_KINDS, event) ? (COMMAND_KINDS[event] ?? 'service') : 'service'
}

function kindOfRequest(fields: Fields): EntryKind {
  const method = textIn(fields, 'method') ?? ''
  if (fields['status'] === 401 && textIn(fields, 'account') === undefined) return 'login'
  if (['GET', 'HEAD'].includes(method)) return 'read'
  if (ownerOf(fields) === undefined) return 'service'
  return method === 'DELETE' ? 'delete' : 'publish'
}

const NAME = '([A-Za-z0-9][A-Za-z0-9._-]{0,63})'
/** Paths with an owner in them: packages, Gitea's API, pages. */
const OWNED = [
  new RegExp(`^${urlPath(packagesFolder)}/${NAME}/`),
  new RegExp(`^/api/v1/packages/${NAME}(?:/|$)`),
  new RegExp(`^/(?:-/(?=api/)|(?!api/))${NAME}/`), // /api/ is not a page, /-/api/ is
]

function ownerOf(fields: Fields): string | undefined {
  const said = textIn(fields, 'owner')
  if (said !== undefined) return said
  const path = textIn(fields, 'path') ?? ''
  if (fields['event'] === 'inbox') return path.split('/', 1)[0] || undefined
  for (const pattern of OWNED) {
    const [, owner] = pattern.exec(path) ?? []
    if (owner !== undefined) return owner
  }
  const asked = objectIn(textIn(fields, 'request') ?? '')
  return textIn(asked, 'owner') ?? (fields['event'] === 'owner' ? textIn(asked, 'name') : undefined)
}

/** Whether an entry is asked for. An account is meant where it acts, where it is claimed, and where it is changed. */
export function isMeant({ time, kind, owner, fields }: LogEntry, filter: LogFilter): boolean {
  if (filter.since !== undefined && time < filter.since) return false
  if (filter.kind !== undefined && kind !== filter.kind) return false
  if (filter.owner !== undefined && owner !== filter.owner) return false
  if (filter.account === undefined) return true
  const changed = kind === 'account' ? (textIn(fields, 'what') ?? nameAsked(fields)) : undefined
  const acting = fields['event'] === 'audit' ? undefined : textIn(fields, 'by')
  return [textIn(fields, 'account'), textIn(fields, 'claimed'), acting, changed].includes(filter.account)
}

const nameAsked = (fields: Fields): string | undefined =>
  textIn(objectIn(textIn(fields, 'request') ?? ''), 'name')

/** Fields that have their own place in the text, or are told by others. */
const PLACED = [
  'time',
  'level',
  'event',
  'kind',
  'result',
  'status',
  'account',
  'claimed',
  'by',
  'address',
  'id',
]
const TOLD = [...PLACED, 'method', 'path', 'owner', 'what', 'action', 'reason', 'stack', 'agent', 'sentId']

// 2026-01-31T12:00:00Z publish done ci from 10.0.0.1: team example.com/m@v1.0.0 (status 201)
/** An entry in one line, for people. */
export function entryText({ time, kind, fields }: LogEntry): string {
  const status = fields['status']
  const result =
    textIn(fields, 'result') ?? (typeof status === 'number' ? String(status) : textIn(fields, 'level'))
  const claimed = textIn(fields, 'claimed')
  const who = textIn(fields, 'account') ?? (claimed && `${claimed}?`) ?? textIn(fields, 'by') ?? '-'
  const address = textIn(fields, 'address')
  const reason = textIn(fields, 'reason')?.split('\n', 1)[0]
  return [
    new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
    kind,
    result,
    `${who}${address === undefined ? '' : ` from ${address}`}:`,
    ...subjectOf(kind, fields),
    ...Object.entries(fields).flatMap(([name, value]) =>
      TOLD.includes(name) || value === '' ? [] : [`${name}=${String(value)}`],
    ),
    ...(textIn(fields, 'result') === 'refused' && status !== undefined ? [`status=${String(status)}`] : []),
    ...(reason === undefined ? [] : [`(${reason})`]),
  ].join(' ')
}

function subjectOf(kind: EntryKind, fields: Fields): (string | undefined)[] {
  const path = textIn(fields, 'path')
  if (fields['event'] === 'audit') {
    const subject = ['action', 'owner', 'what'].flatMap((name) => textIn(fields, name) ?? [])
    return kind === 'gap' ? ['lines are missing:'] : subject
  }
  const subject = path === undefined ? [textIn(fields, 'event')] : [textIn(fields, 'method'), path]
  const what = textIn(fields, 'what')
  return [...subject.filter(Boolean), ...(what === undefined ? [] : [`(${what})`])]
}
