// Tables of the manual that follow from constants and shipped files alone, row by row. Tests of the whole program hold
// the others.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { notShared } from '../src/filesystem/kind.js'
import { shareOf } from '../src/shares/share.js'
import { constantOf } from './support/constants.js'
import { eachRow, MANUAL, read, ROOT, table } from './support/documents.js'

const admission = (name: string): number => constantOf('http/admission.ts', name) as number
const mib = (bytes: unknown): string => `${Number(bytes) / 2 ** 20} MiB`

t.test('shares', async (t) => {
  const says = (wanted: string) => (cell: string) => void t.match(cell, wanted)
  const window = mib(constantOf('store/free-space.ts', 'WINDOW_BYTES'))
  const lanes = ['SMALL_THREADS', 'LARGE_THREADS'].map((name) =>
    String(constantOf('modzip/check-pool.ts', name)),
  )
  const small = mib(constantOf('modzip/check-pool.ts', 'SMALL_ZIP_BYTES'))
  const piece = mib(constantOf('store/write-body.ts', 'LEAST_SYNC_BYTES'))
  await eachRow(t, table(MANUAL, 'Shares'), {
    'uploads at once': says('gets 503 with `Retry-After`, which says that it is its own share'),
    [`${admission('MOST_DELETES')} deletes at once`]: says('gets the same'),
    [`the room promised to uploads that have not come yet, ${window} ahead of each`]:
      says('goes on without a promise'),
    [`module zips that are checked at once: ${lanes[0]} small ones, and ${lanes[1]} over ${small}`]: says(
      'waits; it has one small and one large zip checked at a time',
    ),
    [`${admission('DISK_TURNS')} writes, publishes and deletes at the disk at once`]: says(
      'waits; accounts take turns',
    ),
    [`${mib(admission('BODY_MEMORY'))} of bodies in memory`]: says('goes on in pieces of 64 KiB'),
    [`${mib(admission('UNSYNCED_BYTES'))} of bodies written and not synced`]: says(
      `syncs an upload as it comes, ${piece} or more at a time`,
    ),
  })

  // what N accounts that take all they can leave of a large number
  const leftBy = (accounts: number): number => {
    let taken = 0
    for (let nth = 0; nth < accounts; nth++) taken += shareOf(10_000, taken)
    return (10_000 - taken) / 10_000
  }
  t.match(MANUAL, 'four leave a third of the uploads to the others, ten leave a twentieth')
  t.ok(Math.abs(leftBy(4) - 1 / 3) < 0.02, `four leave ${leftBy(4)}`)
  t.ok(Math.abs(leftBy(10) - 1 / 20) < 0.01, `ten leave ${leftBy(10)}`)
  t.equal(shareOf(256, 0), 64, 'one has a quarter')
})

t.test('what /-/ready checks', async (t) => {
  const named = table(MANUAL, 'Health').map(([name = '']) => name.replaceAll('`', ''))
  t.same(
    named,
    [...(constantOf('service/readiness.ts', 'CHECKS') as string[]), 'service'].sort(inOrderOf(named)),
  )
})

/** Sorts as `names` are; the manual may have them in an order of its own. */
const inOrderOf =
  (names: readonly string[]) =>
  (a: string, b: string): number =>
    names.indexOf(a) - names.indexOf(b)

/** What the manual calls the alerts. */
const ALERTS: Record<string, string[]> = {
  'service or nginx down': ['PlinthDown', 'PlinthNginxDown'],
  'not ready': ['PlinthNotReady'],
  restarts: ['PlinthRestarts'],
  crashes: ['PlinthCrashed'],
  'what is not settled': ['PlinthNotSettled'],
  disk: ['PlinthDiskFull', 'PlinthDiskLow'],
  inodes: ['PlinthInodesLow'],
  'failed and slow syncs': ['PlinthDiskErrors', 'PlinthDiskSlow'],
  'tokens that expire': ['PlinthTokensExpireSoon'],
  'damaged accounts': ['PlinthAccountsDamaged'],
  'stopped checksum databases': ['PlinthChecksumDatabaseStopped'],
  'wrong credentials': ['PlinthFailedLogins'],
  'the certificate': ['PlinthCertificateExpires', 'PlinthCertificateExpired'],
  'the clock': ['PlinthClockMoved'],
  'views behind': ['PlinthViewsBehind'],
  errors: ['PlinthErrors'],
  'upload slots': ['PlinthBusy'],
  verify: ['PlinthVerifyFailed', 'PlinthVerifyTooOld'],
  'metrics that are missing': ['PlinthMetricsMissing'],
}

t.test('the files for Prometheus and Grafana', async (t) => {
  const file = (path: string): string => {
    t.ok(existsSync(join(ROOT, 'scripts/deploy', path)), path)
    return read(`scripts/deploy/${path}`)
  }
  await eachRow(t, table(MANUAL, 'Metrics'), {
    '[prometheus/scrape.yml](prometheus/scrape.yml)': () => {
      t.match(file('prometheus/scrape.yml'), "targets: ['127.0.0.1:9464']")
      t.match(file('prometheus/scrape.yml'), 'rule_files:\n  - alerts.yml\n', 'the file beside it')
      t.match(MANUAL, '`PLINTH_METRICS=127.0.0.1:9464` makes the service tell its figures')
    },
    '[prometheus/alerts.yml](prometheus/alerts.yml)': (says) => {
      const there = [...file('prometheus/alerts.yml').matchAll(/- alert: (\w+)/g)].map(
        ([, name = '']) => name,
      )
      t.equal(says, `alerts: ${Object.keys(ALERTS).join(', ')}`)
      t.same(there.sort(), Object.values(ALERTS).flat().sort())
    },
    '[grafana/plinth.json](grafana/plinth.json)': () => {
      t.type(JSON.parse(file('grafana/plinth.json')), Object)
    },
  })
})

t.test('engines', async (t) => {
  const probed = read('test/e2e/probe.test.ts')
  /** What a start says of file systems of these names, and the manual of theirs. */
  const shared =
    (verdict: RegExp, ...names: string[]) =>
    (says: string) => {
      t.match(says, verdict)
      for (const name of names) t.equal(notShared({ name }) !== undefined, says.includes('refused'), name)
    }
  const inTests =
    (verdict: RegExp, ...kinds: string[]) =>
    (says: string, run: string) => {
      shared(verdict)(says)
      t.match(run, 'in each run of the tests')
      for (const kind of kinds) t.match(probed, kind)
    }
  await eachRow(t, table(MANUAL, 'Engines'), {
    'ext4, XFS, tmpfs, overlay': (says, run) => {
      shared(/^of one machine$/, 'ext4', 'xfs', 'tmpfs', 'overlay')(says)
      inTests(/^of/, "['tmpfs', ", "['ext4', ", "['xfs', ", "'overlay',")(says, run)
    },
    'btrfs, ZFS': shared(/^of one machine$/, 'btrfs', 'zfs'),
    'CephFS 16.2, two MDS, ceph-fuse': shared(/yes/, 'ceph', 'fuse.ceph-fuse'),
    'MooseFS 3.0.117': shared(/yes/, 'fuse.mfs'),
    'JuiceFS 1.2.3': shared(/^with `--attr-cache 0/, 'fuse.juicefs'),
    'GlusterFS 10.3': shared(/^no: refused$/, 'fuse.glusterfs'),
    'NFS, SMB, 9p, virtiofs': shared(
      /^no: refused$/,
      'nfs',
      'nfs4',
      'cifs',
      'smb2',
      'smb3',
      '9p',
      'virtiofs',
    ),
    'FUSE file systems that remember names': inTests(/^no$/, 'mountAgain(seen, 60)'),
    'exFAT, FAT': inTests(/^no, nor for one$/, "'mkfs.exfat'"),
  })
})
