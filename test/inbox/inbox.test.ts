// The drop folder without a service around it.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { Inbox } from '../../src/inbox/inbox.js'
import { Parts } from '../../src/service/parts.js'
import { newData } from '../support/service.js'
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
    t.match(readFileSync(`${rejected}.txt`, 'utf8'), /has other bytes/)
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
