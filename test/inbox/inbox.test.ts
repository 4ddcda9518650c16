// The drop folder without a service around it.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { Inbox } from '../../src/inbox/inbox.js'
import { scan } from '../../src/inbox/scan.js'
import { Parts } from '../../src/service/parts.js'
import { OpenedFolder } from '../../src/store/opened-folder.js'
import { withMethods } from '../support/parts.js'
import { newData } from '../support/service.js'
import { memoryFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const TOOL = 'tree/api/packages/admin/generic/tool/1.0'

t.test(
  'a file that is replaced when it was published but has not left is looked at for itself',
  async (t) => {
    const data = await newData({ fast: true })
    const config = readConfig({ PLINTH_DATA: data })
    const parts = new Parts(config, () => {})
    await parts.recover()
    const path = join(data, 'inbox/admin/generic/tool/1.0/x')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'first')
    writeFileSync(join(data, 'other'), 'second')
    const publish: typeof parts.files.publish = async (...args) => {
      await parts.files.publish(...args)
      if (existsSync(join(data, 'other'))) renameSync(join(data, 'other'), path)
    }
    const inbox = await Inbox.start({ ...parts, files: { publish } }, { settleMs: 0, lookEveryMs: 200 })
    t.teardown(() => inbox?.stop())
    const rejected = join(data, 'inbox/rejected/admin/generic/tool/1.0/x')
    await until(() => !existsSync(path))
    t.equal(readFileSync(join(data, TOOL, 'x'), 'utf8'), 'first')
    t.equal(readFileSync(rejected, 'utf8'), 'second', 'nothing is lost')
    t.match(
      readFileSync(`${rejected}.txt`, 'utf8'),
      /exists already.*\nwhat is there has sha256 [0-9a-f]{64}/,
    )
  },
)

t.test('events that never come: a look finds what is there', async (t) => {
  const data = await newData({ fast: true })
  process.env['CHOKIDAR_USEPOLLING'] = '1' // once an hour
  process.env['CHOKIDAR_INTERVAL'] = '3600000'
  t.teardown(() => {
    delete process.env['CHOKIDAR_USEPOLLING']
    delete process.env['CHOKIDAR_INTERVAL']
  })
  const config = readConfig({ PLINTH_DATA: data })
  const parts = new Parts(config, () => {})
  await parts.recover()
  const inbox = await Inbox.start(parts, { settleMs: 0, lookEveryMs: 200 })
  t.teardown(() => inbox?.stop())
  for (const name of ['first', 'when it rests']) {
    const path = join(data, 'inbox/admin/generic/tool/1.0', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'x')
    await until(() => !existsSync(path))
    t.equal(readFileSync(join(data, TOOL, name), 'utf8'), 'x')
  }
  await parts.zips.close()
})

/** The watches of inotify(7) that this process has. */
const watches = (): number =>
  readdirSync('/proc/self/fdinfo')
    .map((fd) => {
      try {
        return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').split('inotify wd:').length - 1
      } catch {
        return 0 // the folder itself was open for a moment
      }
    })
    .reduce((a, b) => a + b)

const linux = existsSync('/proc/self/fdinfo') ? {} : { skip: 'NOT TESTED: there is no /proc on this machine' }

t.test('a flood of files that are never taken is not watched, and others are taken', linux, async (t) => {
  for (const when of ['before the start', 'during the run']) {
    const data = await newData({ fast: true })
    const folder = join(data, 'inbox/admin/generic/tool/1.0')
    mkdirSync(folder, { recursive: true })
    const log: string[] = []
    const parts = new Parts(readConfig({ PLINTH_DATA: data }), (_level, _event, fields) =>
      log.push(JSON.stringify(fields)),
    )
    await parts.recover()
    const flood = (): void => {
      for (let n = 0; n < 150; n++)
        for (const name of [`.hidden${n}`, `${n}.part`]) writeFileSync(join(folder, name), '')
    }
    if (when === 'before the start') flood()
    const inbox = await Inbox.start(parts, { settleMs: 0, lookEveryMs: 200, mostWatched: 200 })
    writeFileSync(join(folder, 'first'), 'x')
    await until(() => !existsSync(join(folder, 'first')))
    if (when === 'during the run') flood()
    await until(() => log.some((line) => line.includes('no events for over 200 files')))
    writeFileSync(join(folder, 'second'), 'x')
    await until(() => !existsSync(join(folder, 'second')))
    await until(() => watches() < 100) // it has told that it ends them, and then they end
    t.pass(`flood ${when}`)
    await inbox?.stop()
    await parts.zips.close()
  }
})

t.test('a file that nobody may look at hides no other', async (t) => {
  const root = memoryFolder()
  for (const name of ['a', 'shut', 'z']) writeFileSync(join(root, name), '')
  const opened = await OpenedFolder.open(root)
  // a mount of a user shuts out even root
  const at = (name?: string): string => opened.at(name === 'shut' ? name.padEnd(300, '.') : name)
  const folder = withMethods(opened, { at })
  const found: string[] = []
  for await (const { path, ...rest } of scan(folder)) found.push('reason' in rest ? `not ${path}` : path)
  t.same(found.sort(), ['a', 'not shut', 'z'])
  await opened.close()
})

t.test('the same bad file again and again has a name each time', async (t) => {
  const data = await newData({ fast: true })
  const rejected = join(data, 'inbox/rejected/admin/go')
  mkdirSync(rejected, { recursive: true })
  for (let n = 2; n <= 100; n++) writeFileSync(join(rejected, `bad.zip.${n}`), '')
  const parts = new Parts(readConfig({ PLINTH_DATA: data }), () => {})
  await parts.recover()
  mkdirSync(join(data, 'inbox/admin/go'), { recursive: true })
  const inbox = await Inbox.start(parts, { settleMs: 0, lookEveryMs: 200 })
  const names = (pattern: RegExp): string[] => readdirSync(rejected).filter((name) => pattern.test(name))
  for (let n = 0; n < 3; n++) {
    writeFileSync(join(data, 'inbox/admin/go/bad.zip'), 'x')
    await until(() => !existsSync(join(data, 'inbox/admin/go/bad.zip')))
  }
  t.equal(names(/^bad\.zip$/).length, 1)
  t.equal(names(/^bad\.zip\.[0-9a-f-]{36}$/).length, 2)
  t.equal(names(/^bad\.zip\.[0-9a-f-]{36}\.txt$/).length, 2)
  await inbox?.stop()
  await parts.zips.close()
})
