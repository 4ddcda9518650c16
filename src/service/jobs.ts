// What a command may ask of the service, in one table. The service serves it to commands; a command runs it by itself
// when no service runs.

import { isAbsolute } from 'node:path'
import {
  doWithAccounts,
  isAboutItself,
  parseAccountRequest,
  type AccountAnswer,
  type AccountRequest,
} from '../access/account-requests.js'
import {
  doWithOwners,
  parseOwnerRequest,
  type OwnerAnswer,
  type OwnerRequest,
} from '../access/owner-requests.js'
import { deriveAccess } from '../access/derive.js'
import { isOwnerName, type Account } from '../access/rights.js'
import { deletePublished, parseDeletion, type DeletionEvent, type DeletionRequest } from '../http/deletion.js'
import { importVersions, type ImportEvent, type ImportRequest } from '../import/import.js'
import type { InspectionEvent } from '../inspection/finding.js'
import { MOST_JOBS } from '../inspection/first-looks.js'
import { inspectTree, type Inspection } from '../inspection/inspect.js'
import { parseSample } from '../inspection/sample.js'
import { rememberingResult } from '../inspection/verify-result.js'
import { removeOwner } from '../packages/owner-removal.js'
import {
  holdPackage,
  parseHold,
  parseTouched,
  touchedSince,
  watchChanges,
  type HoldEvent,
  type HoldRequest,
  type TouchedEvent,
  type TouchedRequest,
  type WatchEvent,
} from './backup-jobs.js'
import {
  doWithDatabases,
  parseDatabaseRequest,
  type DatabaseEvent,
  type DatabaseRequest,
} from './database-jobs.js'
import { goSettingsOf, type GoSettings } from './go-settings.js'
import type { Parts } from './parts.js'
import { serviceStatus, type ServiceStatus } from './service-status.js'

/** How a job runs. `signal` ends it. `noService`: no service runs, so nothing else is under way. */
type Running = { signal: AbortSignal; noService: boolean }

/** A job. The last of its events has `done: true`. */
type Job<Request extends object, Event extends object> = {
  /** Reads a request that came as JSON. Throws for one that is malformed. */
  parse: (request: unknown) => Request
  /** Whether it changes the data folder: then what a crash left is repaired first. */
  changes: (request: Request) => boolean
  /** Whether it has no line in the log: it is a part of another one. */
  isQuiet?: true
  /** Whether an account may ask for it from another machine. Without it nobody may. */
  mayAsk?: (request: Request, account: Account) => boolean
  run: (parts: Parts, request: Request, running: Running) => AsyncGenerator<Event>
}

/** `withPackages`: with everything that is published under the owner. */
type RemovalRequest = { owner: string; withPackages: boolean }

function ownerOf(value: unknown): string {
  if (typeof value !== 'string' || !isOwnerName(value)) throw new Error('the request names no owner')
  return value
}

const isJobCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MOST_JOBS

const inspection: Job<Inspection, InspectionEvent> = {
  parse: (request) => {
    const { owner, module, mend, counted, sample: asked, since, jobs } = request as Record<string, unknown>
    if (module !== undefined && typeof module !== 'string') throw new Error('the request names no module')
    const sample = parseSample(asked)
    if (mend === true && (sample || since !== undefined)) throw new Error('what is mended is not a part')
    if (since !== undefined && !Number.isSafeInteger(since)) throw new Error('the request has no time')
    if (jobs !== undefined && !isJobCount(jobs)) throw new Error(`the request has no number of threads`)
    return {
      mend: mend === true,
      counted: counted === true,
      ...(sample && { sample }),
      ...(since !== undefined && { since: since as number }),
      ...(jobs !== undefined && { jobs }),
      ...(owner !== undefined && { owner: ownerOf(owner) }),
      ...(module !== undefined && { module }),
    }
  },
  changes: ({ mend }) => mend,
  run: (parts, request, { noService }) => {
    const events = inspectTree(parts, { ...request, noService })
    const { mend, owner, module } = request
    const isVerify = !mend && owner === undefined && module === undefined
    return isVerify ? rememberingResult(parts, events, request) : events
  },
}

const removal: Job<RemovalRequest, { done: true }> = {
  parse: (request) => {
    const { owner, withPackages } = request as Record<string, unknown>
    return { owner: ownerOf(owner), withPackages: withPackages === true }
  },
  changes: () => true,
  mayAsk: (_request, { admin }) => admin,
  run: async function* (parts, { owner, withPackages }) {
    await removeOwner(parts, owner, withPackages)
    yield { done: true }
  },
}

/** At the end it says what go is told, where a go.sum has travelled along. */
const imports: Job<ImportRequest, ImportEvent & { go?: GoSettings }> = {
  parse: (request) => {
    const { folder, owner, dry, counted } = request as Record<string, unknown>
    if (typeof folder !== 'string' || !isAbsolute(folder)) throw new Error('the request names no folder')
    return { folder, owner: ownerOf(owner), dry: dry === true, counted: counted === true }
  },
  changes: ({ dry }) => !dry,
  run: async function* (parts, request, { signal }) {
    for await (const event of importVersions(parts, request, signal))
      yield 'done' in event && event.unlisted !== undefined
        ? { ...event, go: await goSettingsOf(parts, request.owner) }
        : event
  },
}

/** Accounts and owners have a lock of their own: these jobs need no recovery, and wait for no publish. */
const accounts: Job<AccountRequest, AccountAnswer & { done: true }> = {
  parse: parseAccountRequest,
  changes: () => false,
  mayAsk: (request, { admin, name }) => admin || isAboutItself(request, name),
  run: async function* ({ store }, request) {
    yield { ...(await doWithAccounts(store, request)), done: true }
  },
}

const owners: Job<OwnerRequest, OwnerAnswer & { done: true }> = {
  parse: parseOwnerRequest,
  changes: () => false,
  mayAsk: (_request, { admin }) => admin,
  run: async function* ({ store }, request) {
    yield { ...(await doWithOwners(store, request)), done: true }
  },
}

const deletion: Job<DeletionRequest, DeletionEvent> = {
  parse: parseDeletion,
  changes: () => true,
  run: (parts, request, { signal }) => deletePublished(parts, request, signal),
}

const status: Job<object, ServiceStatus & { done: true }> = {
  parse: () => ({}),
  changes: () => false,
  run: async function* (parts) {
    yield { ...(await serviceStatus(parts)), done: true }
  },
}

/** For a restored folder: repairs what was under way when the backup was made, and derives what nginx reads. */
const recovery: Job<object, { done: true }> = {
  parse: () => ({}),
  changes: () => true,
  run: async function* ({ store }) {
    await deriveAccess(store)
    yield { done: true }
  },
}

const backup: Job<object, WatchEvent> = {
  parse: () => ({}),
  changes: () => false,
  run: ({ journal }, _request, { signal }) => watchChanges(journal, signal),
}

const touched: Job<TouchedRequest, TouchedEvent> = {
  parse: parseTouched,
  changes: () => false,
  isQuiet: true,
  run: async function* ({ journal }, request) {
    yield touchedSince(journal, request)
  },
}

const hold: Job<HoldRequest, HoldEvent> = {
  parse: parseHold,
  changes: () => false,
  isQuiet: true,
  run: ({ journal }, request, { signal }) => holdPackage(journal, request, signal),
}

const database: Job<DatabaseRequest, DatabaseEvent> = {
  parse: parseDatabaseRequest,
  changes: (request) => request.action !== 'show' && !('dry' in request && request.dry),
  run: (parts, request, { signal }) => doWithDatabases(parts, request, signal),
}

/** What each job is asked, and what it answers, by the names that the control socket knows. */
export type JobTypes = {
  inspection: { request: Inspection; event: InspectionEvent }
  removal: { request: RemovalRequest; event: { done: true } }
  import: { request: ImportRequest; event: ImportEvent & { go?: GoSettings } }
  account: { request: AccountRequest; event: AccountAnswer & { done: true } }
  owner: { request: OwnerRequest; event: OwnerAnswer & { done: true } }
  deletion: { request: DeletionRequest; event: DeletionEvent }
  database: { request: DatabaseRequest; event: DatabaseEvent }
  status: { request: object; event: ServiceStatus & { done: true } }
  recovery: { request: object; event: { done: true } }
  backup: { request: object; event: WatchEvent }
  touched: { request: TouchedRequest; event: TouchedEvent }
  hold: { request: HoldRequest; event: HoldEvent }
}

export type JobName = keyof JobTypes

export const JOBS: { readonly [Name in JobName]: Job<JobTypes[Name]['request'], JobTypes[Name]['event']> } = {
  inspection,
  removal,
  import: imports,
  account: accounts,
  owner: owners,
  deletion,
  database,
  status,
  recovery,
  backup,
  touched,
  hold,
}

export const isJobName = (name: string): name is JobName => Object.hasOwn(JOBS, name)
