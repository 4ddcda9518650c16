// `plinth backup` and `plinth restore`, and the other ways that the manual shows, while clients publish and delete.

import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CLI, plainNode, type CliResult } from '../support/cli.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { makeGo } from '../support/go.js'
import { startLoad, type Kept } from '../support/load.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { askService, runService } from '../support/service.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

/** `plinth` beside whatever else runs. */
const plinth = (data: string, ...words: string[]): Promise<CliResult> =>
  new Promise((resolve) => {
    const [program, args] = plainNode(CLI, ...words)
    execFile(program, args, { env: { ...process.env, PLINTH_DATA: data } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })

/** A shell with the lines of the manual, in which the folders are those of a test. */
const shell = (lines: string, places: Record<string, string>, env: Record<string, string> = {}) =>
  new Promise<CliResult>((resolve) => {
    let script = lines.replaceAll('scripts/plinth', `env -u NODE_OPTIONS '${ROOT}scripts/plinth'`)
    for (const [from, to] of Object.entries(places)) script = script.replaceAll(from, to)
    execFile('sh', ['-euc', script], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })

const backups = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /^\d{4}-/.test(name))
    .sort()

/** Says what is wrong with a restored data folder, which is started first. */
async function mustBeWhole(t: Test, data: string, kept: readonly Kept[]): Promise<void> {
  const service = runService(data)
  await service.ready()
  t.match(await plinth(data, 'verify'), { code: 0, stdout: / 0 faults\n$/, stderr: '' })
  const put = await askService(data, 'PUT', '/api/packages/admin/generic/after/1.0/x', 'after')
  t.equal(put.status, 201, 'it takes uploads')
  t.equal((await service.end('SIGTERM')).code, 0)
  const lost = kept.filter(({ path, bytes }) => {
    const file = join(data, path)
    return !existsSync(file) || !readFileSync(file).equals(bytes) || !isListed(file)
  })
  t.same(
    lost.map(({ path }) => path),
    [],
    `${kept.length} versions that were acknowledged before are there`,
  )
  const go = makeGo(`file://${data}/tree/api/packages/admin/go`)
  t.match(await go.run(['list', '-m', 'example.com/m@latest']), { code: 0, stdout: 'example.com/m v1.1.0\n' })
}

/** Versions that are deleted stay so, and owners, too. */
const KEEPING = { again: false }
/** A snapshot is of one moment. Here the service stands still for it; commands would write on. */
const STILL = { owners: false }

const isListed = (file: string): boolean => {
  const [, folder, version = ''] = /^(.*\/@v)\/(.*)\.zip$/.exec(file) ?? []
  return folder === undefined || readFileSync(join(folder, 'list'), 'utf8').split('\n').includes(version)
}

t.test('backups under load', needs('nginx', 'go', 'flock'), async (t) => {
  const live = await startPlinth()
  t.teardown(live.stop)
  for (const version of ['v1.0.0', 'v1.1.0'])
    t.equal((await live.publish(await simpleModule('example.com/m', version))).status, 201)
  live.cli('owner', 'add', 'secret', '--private')
  t.equal((await live.publish(await simpleModule('example.com/s', 'v1.0.0'), 'secret')).status, 201)
  const places = tempFolder()
  const at = (name: string): string => join(places, name)
  const kept: Kept[] = []
  let runs = 0

  /** Runs `action` while clients are busy. Returns what was acknowledged before, and is never deleted. */
  async function during(
    action: () => unknown,
    how: { again?: boolean; owners?: boolean } = {},
  ): Promise<Kept[]> {
    const load = startLoad(live, { again: true, ...how, name: `run${++runs}` })
    try {
      await until(() => load.changes() >= 20)
      const before = [...kept, ...load.kept()]
      await action()
      return before
    } finally {
      await load.stop()
      kept.push(...load.kept())
    }
  }

  await t.test('plinth backup and restore, again and again', async (t) => {
    for (const count of [1, 2, 3]) {
      const to = at(`restored-${count}`)
      const before = await during(async () => {
        t.match(await plinth(live.data, 'backup', at('backup')), { code: 0, stderr: '' })
      })
      const [newest = ''] = backups(at('backup')).toReversed()
      t.equal(readlinkSync(join(at('backup'), 'latest')), newest)
      const restored = await plinth(live.data, 'restore', join(at('backup'), 'latest'), '--to', to)
      t.match(restored, { code: 0, stdout: / 0 faults\n$/ })
      await mustBeWhole(t, to, before)
      t.equal(statSync(join(to, 'tree/api/packages/secret')).mode & 0o007, 0, 'what is private stays so')
    }
    t.equal(statSync(at('backup')).mode & 0o777, 0o700)
  })

  const env = { PLINTH_DATA: live.data }
  const here = (name: string): Record<string, string> => ({
    '/srv/backup': at('backup'),
    '/srv/restored': at(name),
    '/srv/from-restic': at('from-restic'),
    '/mnt/elsewhere': at('elsewhere'),
    '/mnt/restic': at('restic'),
    '/mnt/snapshot': at('snapshot'),
  })
  const made = block(MANUAL, 'Backup and restore')

  await t.test('the lines of the manual: backup, restore, verify', async (t) => {
    const before = await during(async () => {
      t.match(await shell(made, here('by-plinth'), env), { code: 0 })
    })
    const lines = block(MANUAL, 'Backup and restore', 1)
    t.match(await shell(lines, here('by-plinth'), env), { code: 0, stdout: / 0 faults\n$/ })
    await mustBeWhole(t, at('by-plinth'), before)
  })

  await t.test('rsync of a backup', needs('rsync'), async (t) => {
    mkdirSync(at('elsewhere'))
    const ran = await shell(block(MANUAL, 'Elsewhere with rsync or restic'), here('by-rsync'), env)
    t.equal(ran.code, 0, ran.stderr)
    await mustBeWhole(t, at('by-rsync'), kept.slice(0, 5))
  })

  await t.test('restic of a backup', needs('restic'), async (t) => {
    const lines = block(MANUAL, 'Elsewhere with rsync or restic', 1)
    const password = { ...env, RESTIC_PASSWORD: 'x', HOME: at('.') }
    const ran = await shell(`restic -r /mnt/restic init\n${lines}`, here('by-restic'), password)
    t.equal(ran.code, 0, ran.stderr)
    await mustBeWhole(t, at('by-restic'), kept.slice(0, 5))
  })

  await t.test('a snapshot: everything stands still for a moment', async (t) => {
    const before = await during(() => {
      process.kill(live.shimPid(), 'SIGSTOP')
      cpSync(live.data, at('snapshot'), {
        recursive: true,
        preserveTimestamps: true,
        verbatimSymlinks: true,
        filter: (path) => !lstatSync(path).isSocket(),
      })
      process.kill(live.shimPid(), 'SIGCONT')
    }, STILL)
    t.match(await shell(block(MANUAL, 'Snapshots'), here('by-snapshot')), { code: 0 })
    await mustBeWhole(t, at('by-snapshot'), before)
  })

  await t.test('rsync of the live folder', needs('rsync'), async (t) => {
    const before = await during(async () => {
      const copied = await shell(block(MANUAL, 'The live folder with rsync'), here('x'), env)
      t.equal(copied.code, 0, copied.stderr)
    }, KEEPING)
    const data = join(at('elsewhere'), 'live')
    const mended = await shell(block(MANUAL, 'The live folder with rsync', 1), {}, { PLINTH_DATA: data })
    t.match(mended, { code: 0, stdout: / 0 faults\n/ }, mended.stdout + mended.stderr)
    await mustBeWhole(t, data, before)
  })

  await t.test('verify with a sample', async (t) => {
    const ran = await shell(block(MANUAL, 'Verify and rebuild', 1), {}, env)
    t.match(ran, { code: 0, stdout: /the same again/ })
  })
})
