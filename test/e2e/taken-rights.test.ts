// A right that is taken while a body comes counts before the upload is published. Asked of the service alone: nginx
// has no part in it.

import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { addAccount, removeAccount } from '../../src/access/accounts.js'
import { addOwner } from '../../src/access/owners.js'
import type { Rights } from '../../src/access/rights.js'
import { accountFile, ownerFile, ownerTree } from '../../src/layout.js'
import { Store } from '../../src/store/store.js'
import { runCli } from '../support/cli.js'
import { settledViolations } from '../support/invariants.js'
import { newData, runService } from '../support/service.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

/** What begins with half a body; `finish` sends the rest. */
type Upload = { finish: () => Promise<{ status: number | undefined; text: string }> }

t.test('a right that is taken while a body comes is not there any more', async (t) => {
  const data = await newData()
  const store = new Store(data)
  const service = runService(data)
  t.teardown(() => service.end())
  await service.ready()
  // An upload has a folder. The files beside it are those of the service's own work, which come and go.
  const uploads = (): number =>
    readdirSync(join(data, 'state/tmp'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
      .length

  async function begin(path: string, body: Buffer, authorization: string): Promise<Upload> {
    const half = Math.floor(body.length / 2)
    const before = uploads()
    const req = request({
      socketPath: join(data, 'state/shim.sock'),
      method: 'PUT',
      path,
      agent: false,
      headers: { authorization, 'content-length': body.length },
    })
    const answered = once(req, 'response') as Promise<[IncomingMessage]>
    req.write(body.subarray(0, half))
    await until(() => uploads() > before) // it was let in
    return {
      finish: async () => {
        req.end(body.subarray(half))
        const [res] = await answered
        let text = ''
        for await (const chunk of res) text += String(chunk)
        return { status: res.statusCode, text }
      },
    }
  }

  const zip = await simpleModule('example.com/taken', 'v1.0.0')
  const wrong = /^wrong credentials: no account has this token\n$/
  const noRight = /^account writer may not write here\n$/
  const writer: Rights = { admin: false, read: [], write: ['team'] }
  const admin: Rights = { admin: true, read: [], write: [] }
  const table: [meanwhile: string, rights: Rights, status: number, text: RegExp][] = [
    ['account remove writer', writer, 401, wrong],
    ['account rotate writer', writer, 401, wrong],
    ['account set writer --read team', writer, 401, noRight],
    ['owner remove team', writer, 401, noRight],
    ['owner remove team', admin, 404, /^no owner "team"/],
    ['account set writer --admin', writer, 201, /^published/],
  ]
  for (const [meanwhile, rights, status, expected] of table) {
    if (!(await store.exists(ownerFile('team')))) await addOwner(store, { name: 'team', public: true })
    if (await store.exists(accountFile('writer'))) await removeAccount(store, 'writer')
    await addAccount(store, 'writer', 'a token of the writer', rights)
    const basic = `Basic ${Buffer.from('writer:a token of the writer').toString('base64')}`
    const alone = `Basic ${Buffer.from('a token of the writer:').toString('base64')}`
    const uploads = [
      await begin('/api/packages/team/generic/p/1/file', Buffer.alloc(1000, 'x'), basic),
      await begin('/api/packages/team/go/upload', zip, alone),
    ]
    const { code, stderr } = runCli({ PLINTH_DATA: data }, meanwhile.split(' '))
    t.equal(code, 0, `${meanwhile} ${stderr}`)
    for (const { finish } of uploads) {
      const answer = await finish()
      t.equal(answer.status, status, meanwhile)
      t.match(answer.text, expected, meanwhile)
    }
    for (const path of ['generic/p/1/file', 'go/example.com/taken/@v/v1.0.0.zip'])
      t.equal(existsSync(join(data, ownerTree('team'), path)), status === 201, `${meanwhile}: ${path}`)
  }
  t.same(await settledViolations(data), [])
  t.same(readdirSync(join(data, 'state/tmp')), [])
})
