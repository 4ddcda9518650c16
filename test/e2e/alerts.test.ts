// The shipped alert rules, each made to fire by series that it is about, and kept quiet by series that are just right.

import t from 'tap'
import { read } from '../support/documents.js'
import { needs } from '../support/programs.js'
import { ALERTS, MINUTES, promtool, tryAlerts, type Series } from '../support/promtool.js'

const always = (value: number): string => `${value}x${MINUTES}`
/** `before` until ten minutes ago, `after` since. */
const turned = (before: number, after: number): string => `${before}x${MINUTES - 10} ${after}x9`

const UP = { 'up{job="plinth",instance="a"}': always(1) }
const START = 'process_start_time_seconds{job="plinth",instance="a"}'
const CRASHED = 'plinth_started_after_crash{instance="a"}'
const VERIFIED = 'plinth_verify_last_run_timestamp_seconds{instance="a"}'
const ERROR = '{instance="a",kind="go",result="error"}'
const DAY = 86_400

const disk = (free: number): Series => ({
  plinth_disk_free_bytes: always(free),
  plinth_disk_floor_bytes: always(64),
  plinth_disk_size_bytes: always(100),
})
const syncs = (within1: string): Series => ({
  'plinth_fsync_duration_seconds_bucket{of="file",le="1"}': within1,
  'plinth_fsync_duration_seconds_bucket{of="file",le="3"}': `0+10x${MINUTES}`,
  'plinth_fsync_duration_seconds_bucket{of="file",le="+Inf"}': `0+10x${MINUTES}`,
})
const errors = (uploads: string, deletes: string): Series => ({
  [`plinth_uploads_total${ERROR}`]: uploads,
  [`plinth_deletes_total${ERROR}`]: deletes,
})
const slots = (used: number): Series => ({
  plinth_upload_slots_used: always(used),
  plinth_upload_slots: always(256),
})
const inodes = (free: number): Series => ({
  plinth_disk_inodes_free: always(free),
  plinth_disk_inodes: always(100),
})

/** An alert, series on which it fires, and series on which it does not. */
const TABLE: [alert: string, fires: Series[], quiet: Series[]][] = [
  ['PlinthDown', [{ 'up{job="plinth",instance="a"}': always(0) }], [{}]],
  ['PlinthNginxDown', [{ plinth_nginx_up: always(0) }], [{ plinth_nginx_up: turned(0, 1) }]],
  [
    'PlinthNotReady',
    [{ 'plinth_ready{check="disk"}': turned(1, 0) }],
    [{ 'plinth_ready{check="disk"}': `1x${MINUTES - 3} 0x3` }],
  ],
  [
    'PlinthRestarts',
    [{ [START]: `1x${MINUTES - 10} 2 3 4x7` }],
    [{ [START]: `1x${MINUTES - 10} 2 3x8` }, { [START]: `1 2 3 4x${MINUTES}` }],
  ],
  [
    'PlinthCrashed',
    [{ [CRASHED]: always(1), [START]: always((MINUTES - 59) * 60) }],
    [
      { [CRASHED]: always(1), [START]: always((MINUTES - 61) * 60) },
      { [CRASHED]: always(0), [START]: always((MINUTES - 59) * 60) },
    ],
  ],
  [
    'PlinthNotSettled',
    [{ plinth_recovery_settled: turned(1, 0) }],
    [{ plinth_recovery_settled: `1x${MINUTES - 3} 0x3` }],
  ],
  ['PlinthDiskLow', [disk(68)], [disk(69)]],
  ['PlinthInodesLow', [inodes(4)], [inodes(5), { plinth_disk_free_bytes: always(1) }]],
  [
    'PlinthDiskErrors',
    [{ plinth_fsync_failures_total: turned(0, 1) }],
    [{ plinth_fsync_failures_total: always(1) }],
  ],
  ['PlinthDiskSlow', [syncs(`0+8x${MINUTES}`)], [syncs(`0+10x${MINUTES}`), syncs(`0+9x${MINUTES}`)]],
  [
    'PlinthTokensExpireSoon',
    [{ plinth_accounts_expiring: always(1) }],
    [{ plinth_accounts_expiring: always(0) }],
  ],
  [
    'PlinthAccountsDamaged',
    [{ plinth_accounts_damaged: always(1) }],
    [{ plinth_accounts_damaged: always(0) }],
  ],
  [
    'PlinthChecksumDatabaseStopped',
    [{ plinth_checksum_databases_refusing: always(1) }],
    [{ plinth_checksum_databases_refusing: always(0) }],
  ],
  [
    'PlinthFailedLogins',
    [{ plinth_failed_logins_total: `0+61x${MINUTES}` }],
    [{ plinth_failed_logins_total: `0+59x${MINUTES}` }],
  ],
  [
    'PlinthCertificateExpires',
    [{ plinth_certificate_expires_timestamp_seconds: always(13 * DAY) }],
    [{ plinth_certificate_expires_timestamp_seconds: always(15 * DAY) }, {}],
  ],
  [
    'PlinthClockMoved',
    [{ plinth_clock_moved_seconds: turned(0, -90) }, { plinth_clock_moved_seconds: turned(0, 3600) }],
    [{ plinth_clock_moved_seconds: always(-90) }, { plinth_clock_moved_seconds: turned(0, 20) }],
  ],
  [
    'PlinthViewsBehind',
    [{ plinth_views_behind_seconds: always(301) }],
    [{ plinth_views_behind_seconds: always(300) }],
  ],
  [
    'PlinthErrors',
    [errors(turned(0, 1), always(0)), errors(always(3), turned(3, 4))],
    [errors(always(1), always(1))],
  ],
  ['PlinthBusy', [slots(231)], [slots(230)]],
  [
    'PlinthVerifyFailed',
    [{ plinth_verify_last_findings: always(1) }],
    [{ plinth_verify_last_findings: always(0) }],
  ],
  [
    'PlinthVerifyTooOld',
    [{ [VERIFIED]: always(-8 * DAY) }, { [START]: always(-8 * DAY) }],
    [{ [VERIFIED]: always(-7 * DAY) }, { [START]: always(-8 * DAY), [VERIFIED]: always(0) }],
  ],
  ['PlinthMetricsMissing', [{ plinth_source_up: always(0) }], [{ plinth_source_up: always(1) }]],
]

t.test('every rule fires when it must, alone, and when it must not, not', needs('promtool'), async (t) => {
  const cases: { series: Series; alerts: string[] }[] = TABLE.flatMap(([alert, fires, quiet]) => [
    ...fires.map((series) => ({ series: { ...UP, ...series }, alerts: [alert] })),
    ...quiet.map((series) => ({ series: { ...UP, ...series }, alerts: [] })),
  ])
  cases.push({ series: {}, alerts: ['PlinthDown'] }) // nobody asks Plinth at all
  cases.push({ series: { ...UP, ...disk(64) }, alerts: ['PlinthDiskFull', 'PlinthDiskLow'] })
  const expired = { plinth_certificate_expires_timestamp_seconds: always(0) }
  cases.push({
    series: { ...UP, ...expired },
    alerts: ['PlinthCertificateExpires', 'PlinthCertificateExpired'],
  })
  const { code, output } = tryAlerts(cases)
  t.equal(code, 0, output)
  const tried = [...TABLE.map(([alert]) => alert), 'PlinthDiskFull', 'PlinthCertificateExpired']
  const shipped = [...read(ALERTS).matchAll(/^ +- alert: (\w+)$/gm)].map(([, alert]) => alert)
  t.same(shipped.toSorted(), tried.toSorted(), 'the table has every rule')
})

t.test('the files for Prometheus are as it wants them', needs('promtool'), async (t) => {
  const rules = promtool(['check', 'rules', '--lint=all', '--lint-fatal', ALERTS])
  t.equal(rules.code, 0, rules.output)
  const config = promtool([
    'check',
    'config',
    '--lint=all',
    '--lint-fatal',
    'scripts/deploy/prometheus/scrape.yml',
  ])
  t.equal(config.code, 0, config.output)
  t.match(config.output, 'alerts.yml', 'it reads the rules, too')
})
