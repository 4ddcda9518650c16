// A dropper exchanges its folder for links as fast as it can, beside a real service that may touch every file.

import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { watch } from '../support/child.js'
import { newData, runService } from '../support/service.js'
import { until } from '../support/until.js'

const DROPPER = fileURLToPath(new URL('../support/dropper.js', import.meta.url))
const NOBODY = 65_534
/** Files that the service refuses and moves away during the storm. */
const REFUSED = 10
/** Descriptors that a service without uploads may have. */
const MAX_DESCRIPTORS = 80

const linux = existsSync('/proc/self/fd') ? {} : { skip: 'NOT TESTED: there is no /proc on this machine' }

t.test('whatever a dropper exchanges, nothing outside of its folder is touched', linux, async (t) => {
  const data = await newData({ fast: true })
  const targets = ['access/accounts', 'access/owners'].map((name) => join(data, name))
  const truth = (): string[] =>
    targets.flatMap((target) =>
      readdirSync(target).map((name) => `${name}: ${readFileSync(join(target, name), 'utf8')}`),
    )
  const admin = readFileSync(join(data, 'access/accounts/admin.json'))
  for (let n = 0; n < 15; n++) writeFileSync(join(data, `access/accounts/a${n}.json`), admin)
  const names = readdirSync(join(data, 'access/accounts')).join()
  const before = truth()
  const folder = join(data, 'inbox/admin')
  mkdirSync(folder, { recursive: true })
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(folder, NOBODY, NOBODY)
  const service = runService(data, { PLINTH_INBOX_SETTLE_SECONDS: '0' })
  await service.ready()
  const dropper = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, DROPPER, folder, names, ...targets], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
  })
  const watched = watch(dropper)
  const refused = (): number => service.log().split('"result":"rejected"').length - 1
  const isHarmed = (): boolean => String(truth()) !== String(before)
  await until(() => refused() >= REFUSED || isHarmed() || dropper.exitCode !== null)
  t.equal(dropper.exitCode, null, watched.output())
  t.same(truth(), before)
  const descriptors = readdirSync(`/proc/${service.pid}/fd`).length
  t.ok(descriptors < MAX_DESCRIPTORS, `${descriptors} descriptors`)
  dropper.kill('SIGKILL')
  await watched.ended
  await service.end('SIGTERM')
  t.same(truth(), before)
})
