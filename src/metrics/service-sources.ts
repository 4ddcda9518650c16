// Where the figures of the service come from: its parts tell them when they are asked.

import type { AccessKeeper } from '../access/keeper.js'
import type { Config } from '../config.js'
import type { Admission } from '../http/admission.js'
import type { AskReady } from '../http/ready-route.js'
import { readVerifyResults } from '../inspection/verify-result.js'
import { folders } from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { Journal } from '../packages/journal.js'
import type { OwnerViews } from '../packages/owner-views.js'
import type { Store } from '../store/store.js'
import type { ChecksumDatabases } from '../sumdb/databases.js'
import { FigureSource } from './figure-source.js'
import { certificateAndClock, disk, nginx, type Into, type MachineParts } from './machine-sources.js'

/**
 * The parts that are asked. `isRecovered`: what a crash left was looked at, and requests are taken. `followsCrash`: the
 * service before this one did not end in order.
 */
export type MetricsParts = MachineParts & {
  config: Pick<Config, 'metrics' | 'runtime'>
  store: Store
  admission: Admission
  zips: CheckPool
  journal: Journal
  ownerViews: OwnerViews
  keeper: AccessKeeper
  databases: Pick<ChecksumDatabases, 'owners' | 'refusing'>
  readiness: AskReady
  isRecovered: () => boolean
  followsCrash: boolean
}

/** How long the checks of `/-/ready` may take, in ms: each has a limit of its own, of 2 s. */
const READY_MS = 3000
const SOON_MS = 14 * 24 * 3600 * 1000

/** Every source. */
export const serviceSources = (into: Into, parts: MetricsParts): FigureSource[] => [
  lastRun(into, parts),
  ready(into, parts),
  requests(into, parts),
  checks(into, parts),
  journal(into, parts),
  views(into, parts),
  disk(into, parts),
  accounts(into, parts),
  databases(into, parts),
  verify(into, parts),
  certificateAndClock(into, parts),
  nginx(into, parts.config.runtime),
]

const lastRun = (into: Into, { followsCrash }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'last run',
    {
      plinth_started_after_crash: {
        help: '1 when the service before this one was killed or ended by an error, else 0.',
      },
    },
    async () => ({ plinth_started_after_crash: followsCrash ? 1 : 0 }),
  )

const ready = (into: Into, { readiness, isRecovered }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'ready',
    { plinth_ready: { help: '1 when this check of /-/ready is well, else 0.', label: 'check' } },
    async () => {
      if (!isRecovered()) return { plinth_ready: { service: 0 } } // a recovery is not disturbed
      const { checks } = await readiness.report()
      const well = checks.map(({ name, ok }) => [name, ok ? 1 : 0] as const)
      return { plinth_ready: { ...Object.fromEntries(well), service: 1 } }
    },
    READY_MS,
  )

const requests = (into: Into, { admission }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'requests',
    {
      plinth_requests_in_progress: { help: 'Requests that the service has not answered yet.' },
      plinth_upload_slots_used: { help: 'Uploads under way.' },
      plinth_upload_slots: { help: 'Uploads that are taken at once (PLINTH_MAX_UPLOADS).' },
      plinth_delete_slots_used: { help: 'Deletes and commands that wait or run.' },
      plinth_delete_slots: { help: 'Deletes and commands that are taken at once.' },
      plinth_turns_running: { help: 'What has its turn, at the disk or as a command.', label: 'queue' },
      plinth_turns: { help: 'How many have their turn at once.', label: 'queue' },
      plinth_turns_waiting: { help: 'What waits for its turn.', label: 'queue' },
      plinth_body_memory_bytes: { help: 'Bytes of bodies that wait for the disk in memory.' },
      plinth_unsynced_body_bytes: { help: 'Bytes of bodies that are written and not synced.' },
    },
    async () => {
      const {
        requests: underWay,
        uploads,
        deletes,
        disk: atDisk,
        commands,
        memory,
        unsynced,
      } = admission.figures
      return {
        plinth_requests_in_progress: underWay,
        plinth_upload_slots_used: uploads.taken,
        plinth_upload_slots: uploads.most,
        plinth_delete_slots_used: deletes.taken,
        plinth_delete_slots: deletes.most,
        plinth_turns_running: { disk: atDisk.running, commands: commands.running },
        plinth_turns: { disk: atDisk.most, commands: commands.most },
        plinth_turns_waiting: { disk: atDisk.waiting, commands: commands.waiting },
        plinth_body_memory_bytes: memory,
        plinth_unsynced_body_bytes: unsynced,
      }
    },
  )

const checks = (into: Into, { zips }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'checks',
    {
      plinth_checks_running: { help: 'Module zips that are being checked.', label: 'lane' },
      plinth_check_threads: { help: 'Module zips that are checked at once at most.', label: 'lane' },
      plinth_checks_waiting: { help: 'Module zips that wait to be checked.', label: 'lane' },
    },
    async () => {
      const lanes = Object.entries(zips.figures)
      return {
        plinth_checks_running: Object.fromEntries(lanes.map(([lane, { running }]) => [lane, running])),
        plinth_check_threads: Object.fromEntries(lanes.map(([lane, { most }]) => [lane, most])),
        plinth_checks_waiting: Object.fromEntries(lanes.map(([lane, { waiting }]) => [lane, waiting])),
      }
    },
  )

const journal = (into: Into, { store, journal: entries, isRecovered }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'journal',
    {
      plinth_journal_entries: { help: 'Publishes and deletes under way, and those that are not settled.' },
      plinth_journal_unsettled: {
        help: 'Publishes and deletes that failed and could not be taken back yet.',
      },
      plinth_recovery_settled: {
        help: '1 when the service takes requests and nothing of a crash or a failure is left to be settled, else 0.',
      },
    },
    async () => ({
      plinth_journal_entries: (await store.names(folders.journal)).length,
      plinth_journal_unsettled: entries.unsettled,
      plinth_recovery_settled: isRecovered() && entries.unsettled === 0 ? 1 : 0,
    }),
  )

const views = (into: Into, { ownerViews }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'views',
    {
      plinth_views_due_owners: {
        help: 'Owners whose catalogue, pages and feed do not have all changes yet.',
      },
      plinth_views_behind_seconds: {
        help: 'Age of the oldest change that is not in them yet, 0 without one.',
      },
    },
    async () => {
      const since = await ownerViews.behindSince()
      const oldest = since.reduce((first, each) => Math.min(first, each), Infinity)
      return {
        plinth_views_due_owners: since.length,
        plinth_views_behind_seconds: since.length === 0 ? 0 : Math.max(0, (Date.now() - oldest) / 1000),
      }
    },
  )

const databases = (into: Into, { databases: all }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'databases',
    {
      plinth_checksum_databases: { help: 'Checksum databases that record what is published.' },
      plinth_checksum_databases_refusing: {
        help: 'Checksum databases that record nothing: publishes of their owners get 503.',
      },
    },
    async () => ({
      plinth_checksum_databases: all.owners().length - all.refusing.length,
      plinth_checksum_databases_refusing: all.refusing.length,
    }),
  )

const accounts = (into: Into, { keeper }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'accounts',
    {
      plinth_accounts: { help: 'Accounts.' },
      plinth_accounts_damaged: { help: 'Accounts whose file is damaged: nobody can use them.' },
      plinth_accounts_expiring: { help: 'Accounts that expire within 14 days.' },
      plinth_accounts_expired: { help: 'Accounts that have expired.' },
    },
    async () => {
      const { accounts: all, damaged, expiries } = keeper.figures
      const now = Date.now()
      return {
        plinth_accounts: all,
        plinth_accounts_damaged: damaged,
        plinth_accounts_expiring: expiries.filter((at) => at > now && at <= now + SOON_MS).length,
        plinth_accounts_expired: expiries.filter((at) => at <= now).length,
      }
    },
  )

const verify = (into: Into, { store }: MetricsParts): FigureSource =>
  new FigureSource(
    into,
    'verify',
    {
      plinth_verify_last_run_timestamp_seconds: {
        help: 'When the last verify of everything ended, in seconds since 1970; absent before the first one.',
      },
      plinth_verify_last_findings: { help: 'Faults that it found.' },
      plinth_verify_last_duration_seconds: { help: 'How long it took.' },
      plinth_verify_part_last_run_timestamp_seconds: {
        help: 'When a later verify with --since or --sample ended, in seconds since 1970; absent without one.',
      },
      plinth_verify_part_last_findings: {
        help: 'Faults that it found, or one before it did since everything was verified.',
      },
    },
    async () => {
      const { whole: last, part } = await readVerifyResults(store)
      return {
        plinth_verify_last_run_timestamp_seconds: last && Date.parse(last.time) / 1000,
        plinth_verify_last_findings: last?.findings,
        plinth_verify_last_duration_seconds: last?.seconds,
        plinth_verify_part_last_run_timestamp_seconds: part && Date.parse(part.time) / 1000,
        plinth_verify_part_last_findings: part?.findings,
      }
    },
  )
