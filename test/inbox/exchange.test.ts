// Somebody who may write to a folder of the inbox exchanges it for a link at the worst moment. What the link leads to
// must stay as it is, whoever the service's user is.

import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { Refusal } from '../../src/errors.js'
import { Inbox } from '../../src/inbox/inbox.js'
import { Parts } from '../../src/service/parts.js'
import { newData } from '../support/service.js'
import { until } from '../support/until.js'

const FILE = 'admin/generic/tool/1.0/admin.json'
const linux = existsSync('/proc/self/fd') ? {} : { skip: 'NOT TESTED: there is no /proc on this machine' }

type Publish = Parts['files']['publish']

/** A data folder with a file in the inbox that has the name of an account's file. */
async function makeInbox(t: Test) {
  const data = await newData({ fast: true })
  const path = (name: string): string => join(data, name)
  mkdirSync(join(path('inbox'), FILE, '..'), { recursive: true })
  writeFileSync(join(path('inbox'), FILE), 'dropped')
  const accounts = path('access/accounts')
  const before = readFileSync(join(accounts, 'admin.json'), 'utf8')
  const log: string[] = []
  return {
    data,
    path,
    log,
    /** Gives the name of `folder` to a link that leads to the accounts. The folder gets the name `moved`. */
    exchange: (folder: string): void => {
      renameSync(path(folder), path('moved'))
      symlinkSync(accounts, path(folder))
    },
    start: async (publish?: (real: Publish) => Publish, descriptors?: string): Promise<Inbox | undefined> => {
      const parts = new Parts(readConfig({ PLINTH_DATA: data }), (level, event, fields) =>
        log.push(`${level} ${event} ${JSON.stringify(fields)}`),
      )
      await parts.recover()
      const real: Publish = (...args) => parts.files.publish(...args)
      const needs = publish ? { ...parts, files: { publish: publish(real) } } : parts
      const inbox = await Inbox.start(needs, {
        settleMs: 0,
        lookEveryMs: 50,
        ...(descriptors !== undefined && { descriptors }),
      })
      t.teardown(async () => {
        await inbox?.stop()
        await parts.zips.close()
      })
      return inbox
    },
    accountsAreUntouched: (): void => {
      t.same(readdirSync(accounts), ['admin.json'])
      t.equal(readFileSync(join(accounts, 'admin.json'), 'utf8'), before)
    },
  }
}

t.test('a file that is refused moves out of the folder that it was looked at in', linux, async (t) => {
  for (const folder of ['inbox/admin/generic/tool/1.0', 'inbox/admin']) {
    const { path, exchange, start, accountsAreUntouched, log } = await makeInbox(t)
    await start(() => async () => {
      if (!existsSync(path('moved'))) exchange(folder)
      throw new Refusal(400, 'it is refused')
    })
    await until(() => log.some((line) => line.includes('"rejected"')))
    const left = folder === 'inbox/admin' ? 'moved/generic/tool/1.0' : 'moved'
    t.same(readdirSync(path(left)), [], 'it moved away')
    t.match(readFileSync(path(`inbox/rejected/${FILE}.txt`), 'utf8'), /it is refused/)
    t.equal(readFileSync(path(`inbox/rejected/${FILE}`), 'utf8'), 'dropped')
    accountsAreUntouched()
  }
})

t.test('a file that is published leaves the folder that it was looked at in', linux, async (t) => {
  const { path, exchange, start, accountsAreUntouched, log } = await makeInbox(t)
  await start((publish) => async (...args) => {
    await publish(...args)
    exchange('inbox/admin/generic/tool/1.0')
  })
  await until(() => log.some((line) => line.includes('"published"')))
  t.same(readdirSync(path('moved')), [], 'it has left')
  accountsAreUntouched()
})

t.test('a link among the folders of refused files leads nowhere', async (t) => {
  for (const link of ['inbox/rejected', 'inbox/rejected/admin/generic/tool/1.0']) {
    const { path, start, accountsAreUntouched, log } = await makeInbox(t)
    mkdirSync(join(path(link), '..'), { recursive: true })
    symlinkSync(path('access/accounts'), path(link))
    await start(() => async () => {
      throw new Refusal(400, 'it is refused')
    })
    await until(() => log.some((line) => line.includes('"later"')) || !existsSync(join(path('inbox'), FILE)))
    accountsAreUntouched()
    t.equal(readFileSync(join(path('inbox'), FILE), 'utf8'), 'dropped', 'it stays where it is')
    t.match(log.join('\n'), /it cannot be moved to inbox\/rejected/)
  }
})

t.test('a machine without /proc serves only an inbox that nobody else can exchange', async (t) => {
  const ours = await makeInbox(t)
  t.ok(await ours.start(undefined, '/there/is/no/proc'))
  await until(() => !existsSync(join(ours.path('inbox'), FILE)))
  t.ok(existsSync(ours.path('tree/api/packages/admin/generic/tool/1.0/admin.json')))

  const shared = await makeInbox(t)
  const folder = shared.path('inbox/admin/generic/tool')
  chmodSync(folder, 0o775)
  await shared.start(undefined, '/there/is/no/proc')
  await until(() => shared.log.some((line) => line.includes('"left"')))
  t.match(shared.log.join('\n'), /tool.*others may write to it/)
  t.ok(existsSync(join(shared.path('inbox'), FILE)), 'it is not taken')

  const open = await makeInbox(t)
  chmodSync(open.path('inbox'), 0o777)
  t.equal(await open.start(undefined, '/there/is/no/proc'), undefined, 'the inbox is off')
  t.match(open.log.join('\n'), /error inbox .*"off".*others may write to it/)
})

t.test('a hard link is refused: it may be any file of the machine', linux, async (t) => {
  const { path, start, accountsAreUntouched, log } = await makeInbox(t)
  linkSync(path('access/accounts/admin.json'), path('inbox/admin/generic/tool/1.0/linked'))
  await start()
  await until(() => log.some((line) => line.includes('"rejected"')))
  t.match(readFileSync(path('inbox/rejected/admin/generic/tool/1.0/linked.txt'), 'utf8'), /it is a hard link/)
  t.notOk(existsSync(path('tree/api/packages/admin/generic/tool/1.0/linked')))
  accountsAreUntouched()
})
