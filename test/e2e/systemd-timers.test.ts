// The units that verify and back up each night: systemd takes them, and their commands are those of this program.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../support/cli.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { needs } from '../support/programs.js'
import { newData } from '../support/service.js'
import { tempFolder } from '../support/temp-folder.js'

const FOLDER = join(ROOT, 'scripts/deploy/systemd')
const UNITS = readdirSync(FOLDER).filter((name) => /^plinth-(verify|backup)\./.test(name))
const textOf = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')

t.test('there is a service and a timer for each', async (t) => {
  t.same(UNITS.sort(), [
    'plinth-backup.service',
    'plinth-backup.timer',
    'plinth-verify.service',
    'plinth-verify.timer',
  ])
  for (const name of UNITS.filter((unit) => unit.endsWith('.timer')))
    t.match(textOf(name), /^OnCalendar=.+\nRandomizedDelaySec=.+\nPersistent=yes$/m, name)
})

const MIRROR = ['plinth-mirror.service', 'plinth-mirror.timer']

t.test('systemd finds nothing wrong with them', needs('systemd-analyze'), async (t) => {
  const paths = [...UNITS, ...MIRROR].map((name) => join(FOLDER, name))
  const verified = spawnSync('systemd-analyze', ['verify', ...paths], { encoding: 'utf8' })
  const ours = verified.stderr.split('\n').filter((line) => /plinth-(verify|backup|mirror)/.test(line))
  // A command that is not installed on this machine is no fault of the unit.
  t.same(
    ours.filter((line) => !/is not executable|not found/.test(line)),
    [],
  )
  for (const path of paths.filter((name) => name.endsWith('.service'))) {
    const args = ['security', '--offline=yes', '--threshold=25', path]
    const rated = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    if (/unrecognized option/.test(rated.stderr)) t.comment('NOT TESTED: this systemd-analyze rates no files')
    else t.equal(rated.status, 0, `${path}: ${rated.stdout.trim().split('\n').at(-1)}`)
  }
})

t.test('their commands do what the manual says', needs('flock'), async (t) => {
  const data = await newData()
  const folder = join(tempFolder(), 'backup')
  for (const name of UNITS.filter((unit) => unit.endsWith('.service'))) {
    const [, line = ''] =
      /^ExecStart=node \/opt\/plinth\/current\/build\/src\/cli\.js (.+)$/m.exec(textOf(name)) ?? []
    const words = line.replaceAll('%%', '%').replace('/var/backups/plinth', folder).split(' ')
    const { code, stdout, stderr } = runCli({ PLINTH_DATA: data }, words)
    t.equal(code, 0, `${line}: ${stderr}`)
    t.match(stdout, /files/)
  }
})

t.test("the manual's lines install what is there", async (t) => {
  const opt = tempFolder()
  const current = join(opt, 'current') // the path of the clone may have a space
  symlinkSync(ROOT, current)
  const script = block(MANUAL, 'Each night', 0, '')
    .replaceAll('/opt/plinth/current', current)
    .replaceAll('/etc/systemd/system/', `${opt}/`)
    .replaceAll('/var/backups', opt)
    .replace(/-o plinth -g plinth /, '')
  execFileSync('sh', ['-euc', `systemctl() { echo "$@" >> ${opt}/asked; }\n${script}`])
  t.same(
    readdirSync(opt)
      .filter((name) => name.startsWith('plinth-'))
      .sort(),
    UNITS,
  )
  for (const [unit] of readFileSync(join(opt, 'asked'), 'utf8').matchAll(/plinth-\S+/g))
    t.ok(UNITS.includes(unit), unit)
})

t.test("the manual's lines install the mirror", async (t) => {
  const opt = tempFolder()
  symlinkSync(ROOT, join(opt, 'current'))
  writeFileSync(join(opt, 'rclone.conf'), '[buckets]\n')
  mkdirSync(join(opt, 'etc'))
  const script = block(MANUAL, 'A bucket as a mirror', 0, '')
    .replaceAll('/opt/plinth/current', join(opt, 'current'))
    .replaceAll('/etc/systemd/system/', `${opt}/`)
    .replaceAll('/etc/plinth', join(opt, 'etc'))
    .replace(/-o root -g plinth /, '')
  execFileSync('sh', ['-euc', `systemctl() { echo "$@" >> ${opt}/asked; }\n${script}`], { cwd: opt })
  t.same(
    readdirSync(opt)
      .filter((name) => name.startsWith('plinth-'))
      .sort(),
    MIRROR,
  )
  t.match(readFileSync(join(opt, 'asked'), 'utf8'), 'enable --now plinth-mirror.timer')
  const service = textOf('plinth-mirror.service')
  const [, variable = ''] =
    /^ExecStart=node \/opt\/plinth\/current\/build\/src\/cli\.js mirror-to \$\{(\w+)\}$/m.exec(service) ?? []
  t.match(readFileSync(join(opt, 'etc/mirror.env'), 'utf8'), new RegExp(`^${variable}=buckets:\\S+$`, 'm'))
  for (const file of readdirSync(join(opt, 'etc'))) t.match(service, `/etc/plinth/${file}`)
})
