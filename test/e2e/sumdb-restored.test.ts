// A checksum database that was restored from an older backup, and the go of somebody who has seen more of it: the
// folder is copied while the service is stopped, and put back later, whole or by halves.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { goAtHome } from '../support/go.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { databaseOf, enableDatabase, inDatabase, oldAndNewGo } from '../support/sumdb.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

const NAME = 'sum.corp.example/team'
const NEW_NAME = 'sum.corp.example/team-2'
/** Records in the backup, and at the moment when it is restored. */
const [THEN, LAST] = [11, 21]

t.test('a restored checksum database', needs('nginx', 'go'), async (t) => {
  const plinth = await startPlinth({ PLINTH_INBOX_SETTLE_SECONDS: '0' })
  t.teardown(plinth.stop)
  const { data, run, cli } = plinth
  const copies = tempFolder('plinth-copies')
  const upload = async (module: string, owner = 'team', more = {}) =>
    plinth.publish(await simpleModule(module, 'v1.0.0', more), owner)
  const publish = async (from: number, to: number, more = {}): Promise<void> => {
    for (let n = from; n < to; n++) {
      const answer = await upload(`corp.example/m${n}`, 'team', more)
      t.equal(answer.status, 201, answer.body)
    }
  }
  const copy = async (name: string): Promise<void> => {
    await plinth.stopShim()
    execFileSync('cp', ['-a', data, join(copies, name)])
    await plinth.startShim()
  }
  /** Puts the state and the tree of copies back. */
  const putBack = async (state: string, tree: string): Promise<void> => {
    await plinth.stopShim()
    for (const [folder, from] of Object.entries({ state, tree })) {
      execFileSync('rm', ['-rf', join(data, folder)])
      execFileSync('cp', ['-a', join(copies, from, folder), data])
    }
    await plinth.startShim()
  }

  await publish(0, THEN - 1)
  const { gosumdb, goproxy } = enableDatabase(plinth, 'team', NAME)
  await publish(THEN - 1, THEN)
  await copy('then')
  await publish(THEN, LAST)
  await copy('last')
  const { root } = databaseOf(plinth, 'team')

  const versions = oldAndNewGo()
  for (const { version, skip } of versions) if (skip !== false) t.comment(`${version}: ${skip}`)
  /** A go that has seen the newest head, and looked up no more than one version. */
  const goesAhead = async () => {
    const clients = []
    for (const { version, bin, skip } of versions) {
      if (skip !== false) continue
      const go = goAtHome(bin, '', { GOFLAGS: '-modcacherw', GOPROXY: goproxy, GOSUMDB: gosumdb })
      const got = await go.run(['mod', 'download', `corp.example/m${LAST - 1}@v1.0.0`])
      t.equal(got.code, 0, got.stderr)
      clients.push({ version, go })
    }
    return clients
  }
  type Clients = Awaited<ReturnType<typeof goesAhead>>
  /** What go says of a module that it has not looked up yet. */
  const each = async (
    clients: Clients,
    module: string,
    look: (code: number, said: string, version: string) => void,
  ) => {
    for (const { version, go } of clients) {
      const { code, stderr } = await go.run(['mod', 'download', `${module}@v1.0.0`])
      look(code, stderr, version)
    }
  }
  const fine = (t: Test, clients: Clients, module: string): Promise<void> =>
    each(clients, module, (code, said, version) => t.equal(code, 0, `${version}: ${said}`))
  const cleaned = async (clients: Clients): Promise<void> => {
    for (const { go } of clients) t.equal((await go.run(['clean', '-modcache'])).code, 0)
  }
  const [same, other, emptied, halves] = [
    await goesAhead(),
    await goesAhead(),
    await goesAhead(),
    await goesAhead(),
  ]
  await fine(t, same, 'corp.example/m0')

  await t.test('nothing was published since: go goes on from its cache', async (t) => {
    await putBack('then', 'then')
    t.match(databaseOf(plinth, 'team'), { size: THEN, status: 'enabled' })
    await fine(t, same, 'corp.example/m1')
    await cleaned(same)
    await each(same, 'corp.example/m2', (code, said, version) => {
      t.not(code, 0, version)
      t.match(said, new RegExp(`tile/8/0/000\\.p/${LAST}: 404 Not Found`), version)
    })
  })

  await t.test('the same was published again, in the same order: go sees no difference', async (t) => {
    await publish(THEN, LAST)
    t.match(databaseOf(plinth, 'team'), { size: LAST, root })
    await fine(t, same, 'corp.example/m3')
    await fine(t, same, `corp.example/m${LAST - 1}`)
  })

  await t.test('something else was published: go ends', async (t) => {
    await putBack('then', 'then')
    await publish(THEN, LAST + 1, { 'other.go': 'package m\n' })
    await each(other, `corp.example/m${LAST}`, (code, said, version) => {
      t.not(code, 0, version)
      t.match(said, 'SECURITY ERROR\ngo.sum database server misbehavior detected!', version)
    })
    await cleaned(emptied)
    await each(emptied, 'corp.example/m4', (code, said, version) => {
      t.not(code, 0, version)
      t.match(said, /downloaded inconsistent tile/, version)
    })
  })

  await t.test('after a rotation clients of the new name go on', async (t) => {
    cli('sumdb', 'rotate', 'team', '--name', NEW_NAME, '--yes')
    const rotated = databaseOf(plinth, 'team')
    t.match(rotated, { name: NEW_NAME, size: LAST + 1, earlier: [NAME] })
    for (const { version, go } of [...other, ...emptied]) {
      const now = { GOSUMDB: rotated.gosumdb }
      const got = await go.run(
        ['mod', 'download', 'corp.example/m4@v1.0.0', `corp.example/m${LAST}@v1.0.0`],
        undefined,
        now,
      )
      t.equal(got.code, 0, `${version}: ${got.stderr}`)
    }
    const old = `/api/packages/team/go/sumdb/${NAME}`
    for (const path of ['supported', 'latest', 'lookup/corp.example/m0@v1.0.0'])
      t.equal((await plinth.get(`${old}/${path}`)).status, 200, `${path} of the old name`)
    cli('sumdb', 'rotate', 'team', '--drop')
    for (const path of ['supported', 'latest', 'lookup/corp.example/m0@v1.0.0'])
      t.equal((await plinth.get(`${old}/${path}`)).status, 404, `${path}, dropped`)
    t.equal((await plinth.get(`/api/packages/team/go/sumdb/${NEW_NAME}/supported`)).status, 200)
  })

  await t.test('a state that is older than the tree', async (t) => {
    await putBack('then', 'last')
    const reason = new RegExp(
      `has shown ${LAST} records, and state/sumdb/team knows ${THEN}.*sumdb recover team`,
    )
    const refused = await upload('corp.example/new')
    t.equal(refused.status, 503, refused.body)
    t.match(refused.body, reason)
    t.notOk(existsSync(join(data, 'tree/api/packages/team/go/corp.example/new')), 'nothing is left of it')
    t.equal((await upload('corp.example/new', 'admin')).status, 201, 'another owner')
    mkdirSync(join(data, 'inbox/team/go'), { recursive: true })
    writeFileSync(join(data, 'elsewhere'), await simpleModule('corp.example/dropped', 'v1.0.0'))
    renameSync(join(data, 'elsewhere'), join(data, 'inbox/team/go/m.zip'))
    await until(() => plinth.log().includes('"path":"team/go/m.zip"'))
    t.ok(existsSync(join(data, 'inbox/team/go/m.zip')), 'a drop waits')
    await fine(t, halves, 'corp.example/m5')
    const shown = run('sumdb', 'show', 'team')
    t.equal(shown.code, 1)
    t.match(shown.stdout, reason)
    t.match(plinth.log(), /"level":"error","event":"checksum database stopped","owner":"team"/)
    t.equal(run('sumdb', 'enable', 'team', '--yes').code, 1)
    const recovered = run('sumdb', 'recover', 'team')
    t.equal(recovered.code, 0, recovered.stderr)
    // the file that waits in the inbox may be taken at once
    t.match(run('sumdb', 'show', 'team', '--at', `${LAST}`, '--json').stdout, `"root":"${root}"`)
    t.equal((await upload('corp.example/new')).status, 201)
    await until(() => !existsSync(join(data, 'inbox/team/go/m.zip')))
    await fine(t, halves, 'corp.example/new')
    await fine(t, halves, 'corp.example/dropped')
    await cleaned(halves)
    await fine(t, halves, 'corp.example/m6')
    await copy('recovered')
    t.equal(databaseOf(plinth, 'team').size, LAST + 2, 'it is opened again as it is')
  })

  await t.test('a tree that is older than the state mends itself', async (t) => {
    await putBack('recovered', 'then')
    t.match(databaseOf(plinth, 'team'), { size: LAST + 2, status: 'enabled' })
    t.ok(existsSync(inDatabase(data, 'team', NAME, `lookup/corp.example/m${LAST - 1}@v1.0.0`)))
    t.same(readdirSync(inDatabase(data, 'team', NAME, 'lookup/corp.example')).length, LAST + 2)
    await cleaned(halves)
    await fine(t, halves, 'corp.example/m7')
    t.equal((await upload(`corp.example/m${LAST - 1}`)).status, 201, 'what is lost is welcome again')
    t.equal((await upload(`corp.example/m${LAST - 2}`, 'team', { 'other.go': 'package m\n' })).status, 409)
    await fine(t, halves, `corp.example/m${LAST - 1}`)
  })
})
