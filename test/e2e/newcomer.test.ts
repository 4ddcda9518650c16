// The hour of a newcomer: from a bare Debian to a Plinth that serves a team, by the lines of the manual and the README.
// Debian comes from debootstrap and is booted by systemd-nspawn, with a systemd and a network of its own; another such
// machine takes the backup. In the place of the internet are a cache of npm and packages of Debian, got beforehand.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { bareDebian, needsDebian, runInDebian } from '../support/debian.js'
import { runSteps } from '../support/machine-steps.js'
import {
  AGAIN,
  APT_CONF,
  BACKUP,
  FIRST,
  NEW,
  OLD,
  OWN_PROGRAMS,
  PACKAGES,
  RESTORE,
  WITH_GO,
} from '../support/newcomer.js'
import { makeRelease } from '../support/release.js'
import { tempFolder } from '../support/temp-folder.js'

const GO_ROOT = ((): string | undefined => {
  try {
    return execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
})()

t.test("a newcomer's hour", needsDebian("the newcomer's hour"), async (t) => {
  let begun = Date.now()
  const tell = (what: string): void => {
    t.comment(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${what}`)
    begun = Date.now()
  }
  const work = tempFolder('plinth-newcomer')
  const debian = bareDebian(work)
  if ('skip' in debian) return void t.pass('no Debian', debian)
  tell('debootstrap makes a bare Debian, or it is kept')

  const archives = [OLD, NEW].map((version) => makeRelease(work, version))
  tell('two releases are made')
  const [host, npm, elsewhere] = ['host', 'npm', 'elsewhere'].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ]
  for (const folder of [host, npm, elsewhere]) mkdirSync(folder)
  for (const archive of archives) {
    cpSync(archive, join(host, basename(archive)))
    execFileSync('tar', ['-xzf', archive, '-C', npm])
  }
  execFileSync('npm', ['ci', '--omit=dev', '--no-audit', '--cache', npm], {
    cwd: join(npm, `plinth-${OLD}`),
    stdio: 'pipe',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  tell('npm packages are put into a cache')
  const [first, second] = ['first', 'second'].map((name) => join(work, name)) as [string, string]
  execFileSync('cp', ['-a', debian.root, first])
  runInDebian(
    first,
    `export APT_CONFIG=/tmp/apt.conf
echo '${APT_CONF}' > $APT_CONFIG
apt-get update
apt-get install systemd-sysv
echo 'APT::Get::Download-Only "true";' >> $APT_CONFIG
${OWN_PROGRAMS}${PACKAGES}`,
    { DEBIAN_FRONTEND: 'noninteractive' },
  )
  execFileSync('cp', ['-a', first, second])
  tell("Debian's packages are downloaded, and there are two machines")

  writeFileSync(join(host, 'apt.conf'), APT_CONF)
  if (GO_ROOT === undefined) t.comment('NOT TESTED: go is not on this machine, so curl alone reads modules')
  const folders = {
    '/npm': npm,
    '/mnt/elsewhere': elsewhere,
    ...(GO_ROOT === undefined ? {} : { '/usr/local/go:ro': GO_ROOT }),
  }
  const boot = (root: string, script: string): Promise<string | undefined> =>
    runSteps(t, host, script, { root, folders })
  if (!(await boot(first, FIRST + (GO_ROOT === undefined ? '' : WITH_GO) + BACKUP))) return
  t.ok(existsSync(join(elsewhere, 'plinth/tree')), 'the backup is elsewhere')
  if (!(await boot(second, RESTORE))) return
  await boot(first, AGAIN)
})
