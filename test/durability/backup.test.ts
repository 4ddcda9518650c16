// `plinth backup` is killed at many moments, and its disk gets full: older backups are whole, and the next run succeeds.

import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CLI, plainNode, type CliResult } from '../support/cli.js'
import { needs } from '../support/programs.js'
import { askService, newData, runService } from '../support/service.js'
import { memoryFolder, tempFolder } from '../support/temp-folder.js'
import { simpleModule } from '../support/zips.js'

const run = (
  data: string,
  before: string[],
  ...words: string[]
): Promise<CliResult & { signal: string | null }> =>
  new Promise((resolve) => {
    const [program, args] = plainNode(CLI, ...words)
    const [first = '', ...more] = [...before, program, ...args]
    // Calls are counted for each thread: with one thread the count is exact.
    const env = { ...process.env, PLINTH_DATA: data, UV_THREADPOOL_SIZE: '1' }
    execFile(first, more, { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, signal: error?.signal ?? null, stdout, stderr }),
    )
  })

const named = (to: string): string[] =>
  (existsSync(to) ? readdirSync(to) : []).filter((name) => /^\d/.test(name))

async function liveData(): Promise<string> {
  const data = await newData({ fast: true })
  const service = runService(data)
  await service.ready()
  t.teardown(() => service.end('SIGTERM'))
  const put = async (path: string, body: Buffer | string): Promise<void> => {
    const { status } = await askService(data, 'PUT', `/api/packages/admin/${path}`, body)
    if (status !== 201) throw new Error(`${path}: ${status}`)
  }
  for (const version of ['v1.0.0', 'v1.1.0'])
    await put('go/upload', await simpleModule('example.com/m', version))
  await put('generic/tool/1.0/big', Buffer.alloc(1_500_000, 'x'))
  await put('generic/tool/1.0/small', 'small')
  return data
}

/** What kills a command at a system call, the `when`th of its name. */
const killedAt = (call: string, when: number): string[] => [
  'strace',
  '-f',
  '-qq',
  '-o',
  '/dev/null',
  '-e',
  `inject=${call}:signal=SIGKILL:when=${when}`,
]

/** A system call, and at which of its calls the process is killed. `first`: no backup is there yet. */
const MOMENTS: [call: string, when: number, first?: 'first'][] = [
  ['mkdir', 2, 'first'],
  ['utimensat', 1, 'first'],
  ['utimensat', 12, 'first'],
  ['utimensat', 30, 'first'],
  ['fsync', 1, 'first'],
  ['rename', 1, 'first'],
  ['rename', 1],
  ['symlink', 2],
  ['rename', 2],
  ['link', 1],
  ['link', 20],
  ['rename', 3], // the oldest gets the name of one that is removed
  ['rmdir', 1],
]

t.test('killed at each moment', needs('strace', 'flock'), async (t) => {
  const data = await liveData()
  const to = join(memoryFolder(), 'backup')
  let killed = 0
  for (const [call, when, first] of MOMENTS) {
    if (first) rmSync(to, { recursive: true, force: true })
    const before = named(to)
    const { signal, code } = await run(data, killedAt(call, when), 'backup', to, '--keep', '2')
    if (signal === 'SIGKILL' || code !== 0) killed++
    else t.comment(`no call ${when} of ${call}`)
    for (const name of named(to)) {
      const note = JSON.parse(readFileSync(join(to, name, 'state/backup.json'), 'utf8')) as {
        damaged: string[]
      }
      t.same(note.damaged, [], `${call} ${when}: what has a name is whole`)
      t.ok(existsSync(join(to, name, 'tree/api/packages/admin/go/example.com/m/@v/list')))
    }
    t.ok(named(to).length >= Math.min(before.length, 2), 'nothing was lost')
    const again = await run(data, [], 'backup', to, '--keep', '3')
    t.match(again, { code: 0, stderr: '' }, `${call} ${when}: the next one succeeds`)
    t.same(
      readdirSync(to).filter((name) => name.startsWith('.')),
      ['.lock'],
      'nothing is left of it',
    )
  }
  t.ok(killed >= MOMENTS.length - 3, `${killed} of ${MOMENTS.length} were killed`)
  const target = join(tempFolder(), 'data')
  t.match(await run(target, [], 'restore', join(to, 'latest'), '--to', target), {
    code: 0,
    stdout: / 0 faults\n$/,
  })
})

t.test('a restore that is killed is run again', needs('strace', 'flock'), async (t) => {
  const data = await liveData()
  const [to, target] = [join(memoryFolder(), 'backup'), join(memoryFolder(), 'data')]
  t.equal((await run(data, [], 'backup', to)).code, 0)
  for (const [call, when] of [
    ['rename', 1],
    ['utimensat', 5],
    ['utimensat', 25],
    ['rename', 2],
  ] as const) {
    await run(target, killedAt(call, when), 'restore', join(to, 'latest'), '--to', target)
    // A signal comes when the call was made.
    const path = join(target, 'state/format')
    const format = existsSync(path) ? readFileSync(path, 'utf8') : ''
    t.comment(`${call} ${when}: ${format}`)
    if (format !== 'restoring\n') continue
    const service = runService(target)
    t.equal((await service.ended).code, 1, `${call} ${when}: nobody starts on a half`)
    t.match(service.log(), /was not restored whole: run the same restore again/)
  }
  t.match(await run(target, [], 'restore', join(to, 'latest'), '--to', target), {
    code: 0,
    stdout: / 0 faults\n$/,
  })
})

const canMount = (): boolean => {
  const folder = tempFolder()
  const ok = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]).status === 0
  if (ok) spawnSync('umount', ['-l', folder])
  return ok
}

t.test(
  'a full disk',
  { skip: !canMount() && 'NOT TESTED: this machine does not let us mount a tmpfs' },
  async (t) => {
    const data = await liveData()
    const folder = tempFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder])
    process.prependListener('exit', () => spawnSync('umount', ['-l', folder])) // nothing stays mounted
    t.equal((await run(data, [], 'backup', folder)).code, 0)
    const [first = ''] = named(folder)
    const big = await askService(
      data,
      'PUT',
      '/api/packages/admin/generic/tool/2.0/big',
      Buffer.alloc(5_000_000, 'y'),
    )
    t.equal(big.status, 201)
    const full = await run(data, [], 'backup', folder, '--keep', '1')
    t.match(full, {
      code: 1,
      stderr: /^plinth: there is no room left in .*: whole backups there are untouched/,
    })
    t.same(readdirSync(folder).sort(), ['.lock', first, 'latest'], 'what was begun is removed')
    execFileSync('mount', ['-o', 'remount,size=20m', folder])
    t.match(await run(data, [], 'backup', folder, '--keep', '1'), {
      code: 0,
      stdout: new RegExp(`removed ${first}`),
    })
  },
)
