// What a start of the service does about the file system of its data folder.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { StartProblem } from '../../src/errors.js'
import { systemCalls, type Calls } from '../../src/filesystem/calls.js'
import { kindOf, notShared } from '../../src/filesystem/kind.js'
import { mustKeepPromises } from '../../src/filesystem/must-keep.js'
import { needs } from '../support/programs.js'
import { memoryFolder } from '../support/temp-folder.js'

type Start = { shared?: boolean; defect?: Partial<Calls> }

/** A start on `data`: its warnings. */
async function started(data: string, { shared = false, defect = {} }: Start = {}): Promise<string[]> {
  const warnings: string[] = []
  const calls = { ...systemCalls, ...defect }
  await mustKeepPromises(data, {
    runtime: 'state',
    shared,
    calls,
    onWarning: (warning) => warnings.push(warning),
  })
  return warnings
}

const note = (data: string): string => join(data, 'state/filesystem.json')
const noteIn = (data: string): Record<string, unknown> =>
  JSON.parse(readFileSync(note(data), 'utf8')) as Record<string, unknown>
const failsWith = (code: string, syscall: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(code), { code, syscall }))

t.test('a new folder on a file system that is well', needs('flock'), async (t) => {
  const data = memoryFolder()
  t.same(await started(data), [])
  t.match(noteIn(data), { ...kindOf(data), lacks: [] })
  t.equal(statSync(note(data)).mode & 0o777, 0o600)
  t.same(readdirSync(data).sort(), ['state', 'tree'])
  t.same(readdirSync(join(data, 'state')).sort(), ['filesystem.json', 'tmp'])
  t.same(
    [...readdirSync(join(data, 'state/tmp')), ...readdirSync(join(data, 'tree'))],
    [],
    'it leaves nothing',
  )

  await t.test('is not probed again', async (t) => {
    const unused = Object.fromEntries(
      Object.keys(systemCalls).map((call) => [call, () => t.fail(`${call} is called`)]),
    ) as unknown as Calls
    t.same(await started(data, { defect: unused }), [])
  })

  await t.test('is probed when it is another one, and when the note is no note', async (t) => {
    const link = failsWith('EPERM', 'link')
    for (const text of [
      JSON.stringify({ ...noteIn(data), device: 1 }),
      '',
      'null',
      '[]',
      '{"lacks":1}',
      '\0',
    ]) {
      writeFileSync(note(data), text)
      await t.rejects(started(data, { defect: { link } }), StartProblem, text)
    }
  })
})

t.test('what cannot hold the promises is refused, and what is there stays', async (t) => {
  const data = memoryFolder()
  mkdirSync(join(data, 'state/tmp/upload'), { recursive: true })
  writeFileSync(join(data, 'state/tmp/upload/body'), 'x')
  const refused = started(data, { defect: { link: failsWith('EPERM', 'link') } })
  await t.rejects(refused, StartProblem)
  const { name } = kindOf(data)
  await t.rejects(started(data, { defect: { link: failsWith('EPERM', 'link') } }), {
    message: new RegExp(
      `^PLINTH_DATA=${data} is on ${name}, which cannot hold what plinth promises: link fails: EPERM, so two uploads .*` +
        `; "scripts/plinth probe ${data}" tells more$`,
    ),
  })
  t.notOk(existsSync(note(data)), 'the next start looks again')
  t.same(readdirSync(join(data, 'state/tmp')), ['upload'])
})

t.test('a wish that is not fulfilled is a warning, at each start', needs('flock'), async (t) => {
  const data = memoryFolder()
  const stage: Calls['stage'] = (path, text, ms) =>
    systemCalls.stage(path, text, Math.floor(ms / 1000) * 1000)
  const [warning, ...more] = await started(data, { defect: { stage } })
  t.match(warning, /the data folder is on \w+, without parts of a second: what changes twice/)
  t.same(more, [])
  t.same(await started(data), [warning], 'from the note')
})

t.test('a disk that is full is no reason to refuse', async (t) => {
  for (const call of ['writeText', 'makeFolder'] as const) {
    const data = memoryFolder()
    const warnings = await started(data, { defect: { [call]: failsWith('ENOSPC', 'open') } })
    t.match(warnings, [/was not probed: .*ENOSPC/], call)
    t.notOk(existsSync(note(data)), 'the next start looks again')
    t.same(readdirSync(join(data, 'state/tmp')), [])
  }
})

t.test('tree/ on another file system', needs('flock'), async (t) => {
  const data = memoryFolder()
  const link: Calls['link'] = (from, to) =>
    to.includes('/tree/') ? failsWith('EXDEV', 'link')() : systemCalls.link(from, to)
  await t.rejects(
    started(data, { defect: { link } }),
    /tree\/ cannot link to state\/ \(EXDEV\), so nothing could be/,
  )
  writeFileSync(join(data, 'tree/.plinth-probe'), 'left by one that was killed')
  t.same(await started(data), [])
  t.same(readdirSync(join(data, 'tree')), [])
})

t.test('what several machines cannot share', async (t) => {
  const data = memoryFolder()
  mkdirSync(join(data, 'state'))
  const { magic, device } = kindOf(data)
  const isOn = (name: string): void =>
    writeFileSync(note(data), JSON.stringify({ name, magic, device, lacks: [] }))
  for (const name of ['nfs', 'nfs4', 'cifs', 'smb3', '9p', 'virtiofs', 'fuse.glusterfs', 'fuse.sshfs']) {
    isOn(name)
    await t.rejects(started(data, { shared: true }), {
      name: 'StartProblem',
      message: new RegExp(`^PLINTH_DATA=${data} is on ${name}, which several machines cannot share: \\w`),
    })
    t.match(await started(data), [
      new RegExp(`^the data folder is on ${name}: use it from one machine alone, `),
    ])
  }
  for (const name of [
    'ext4',
    'xfs',
    'btrfs',
    'zfs',
    'tmpfs',
    'overlay',
    'ceph',
    'fuse.ceph-fuse',
    'fuse.mfs',
  ]) {
    isOn(name)
    t.same(await started(data, { shared: true }), [], name)
    t.equal(notShared({ name }), undefined)
  }
})

t.test('the name of a file system', async (t) => {
  t.match(kindOf('/proc'), { name: process.platform === 'linux' ? 'proc' : /./ })
  t.throws(() => kindOf('/no/such/folder'), { code: 'ENOENT' })
})
