// An owner whose versions never change: by each way in, after each way to delete, over a crash, a backup and a restore.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { goneFile, versionFile } from '../../src/layout.js'
import { runCli } from '../support/cli.js'
import { block, linesOf, MANUAL } from '../support/documents.js'
import { TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { runPublish } from '../support/publish-command.js'
import { tempFolder } from '../support/temp-folder.js'
import { until, untilLate } from '../support/until.js'
import { simpleModule, zipOf, type Files } from '../support/zips.js'

const MODULE = 'example.com/M'
const OTHER = { 'other.go': 'package m\n' }
const stoneOf = (owner: string, version: string): string =>
  goneFile(versionFile({ owner, module: MODULE, version }, 'zip'))
const H1 = 'h1:[A-Za-z0-9+/]{43}='
const refusalOf = (version: string): RegExp =>
  new RegExp(
    `example\\.com/M ${version} was deleted on \\d{4}-\\d\\d-\\d\\d, and owner team is immutable: ` +
      `.*\\(${H1}\\).*\\(${H1}\\)\\. Publish a new version`,
  )

t.test('bytes that never change', needs('nginx'), async (t) => {
  const plinth = await startPlinth({
    PLINTH_AUDIT_LOG: '1',
    PLINTH_INBOX_SETTLE_SECONDS: '1',
  })
  t.teardown(() => plinth.stop())
  const { ask, cli, data, run } = plinth
  const command = (request: object, auth?: string) =>
    ask('POST', '/-/commands/owner', {
      body: JSON.stringify(request),
      headers: { 'content-type': 'application/json' },
      ...(auth !== undefined && { auth }),
    })
  const put = async (version: string, more: Files = {}) =>
    plinth.publish(await simpleModule(MODULE, version, more), 'team')
  const lastAudit = (): Record<string, unknown> =>
    JSON.parse(
      readFileSync(join(data, 'state/audit.log'), 'utf8').trimEnd().split('\n').at(-1) ?? '{}',
    ) as Record<string, unknown>

  await t.test('the lines of the manual', async (t) => {
    const said = linesOf(block(MANUAL, 'Bytes that never change')).map((line) =>
      cli(...line.split(' ').slice(1)),
    )
    t.match(said[0], 'owner team is immutable')
    t.equal(said[1], 'admin public\nteam public immutable\n')
    t.match(lastAudit(), { kind: 'owner', action: 'set', owner: 'team', what: 'immutable', result: 'done' })
    t.equal(readFileSync(join(data, 'state/format'), 'utf8'), '2\n')
  })

  await t.test('over the network, by an admin alone', async (t) => {
    const writer = cli('account', 'add', 'writer', '--write', 'team').trimEnd().split('\n').at(-1) ?? ''
    t.equal((await command({ action: 'set', name: 'team', immutable: false }, `token ${writer}`)).status, 403)
    t.match(cli('owner', 'list'), /^team public immutable$/m)
    const added = await command({ action: 'add', name: 'far', public: false, immutable: true })
    t.match(JSON.parse(added.body), { owners: [{ name: 'far', public: false, immutable: true }] })
    t.match(lastAudit(), { account: 'admin', owner: 'far', what: 'private,immutable' })
    const before = await command({ action: 'set', name: 'far', public: true }) // as clients of before ask
    t.match(JSON.parse(before.body), { owners: [{ name: 'far', public: true, immutable: true }] })
    const taken = await command({ action: 'set', name: 'far', immutable: false })
    t.same((JSON.parse(taken.body) as { owners: unknown }).owners, [{ name: 'far', public: true }])
    t.match(lastAudit(), { account: 'admin', owner: 'far', what: 'mutable' })
    for (const wrong of [
      { action: 'set', name: 'far' },
      { action: 'set', name: 'far', immutable: 'yes' },
      { action: 'add', name: 'x', immutable: true },
      { action: 'add', name: 'x', public: true, immutable: 1 },
    ])
      t.equal((await command(wrong)).status, 400, JSON.stringify(wrong))
  })

  await t.test('after each way to delete, other content is refused', async (t) => {
    const ways: Record<string, () => unknown> = {
      'v1.0.0': () => ask('DELETE', '/api/packages/team/go/example.com/!m/@v/v1.0.0'),
      'v1.1.0': () => ask('DELETE', '/api/v1/packages/team/go/example.com%2FM/v1.1.0'),
      'v1.2.0': () => cli('rm', `team/${MODULE}@v1.2.0`, '--yes'),
      'v1.3.0': () => cli('rm', `team/${MODULE}`, '--yes'), // the whole package
    }
    for (const version of Object.keys(ways)) t.equal((await put(version)).status, 201)
    const taken = await put('v1.0.0', OTHER)
    t.equal(taken.status, 409)
    t.match(taken.body, 'v1.0.0 exists already, and owner team is immutable: publish a new version\n')
    for (const [version, remove] of Object.entries(ways)) {
      await remove()
      t.ok(existsSync(join(data, stoneOf('team', version))), version)
      const refused = await put(version, OTHER)
      t.equal(refused.status, 409, version)
      t.match(refused.body, refusalOf(version))
    }
    t.same(plinth.leftovers(), [])
  })

  await t.test('by each way in', async (t) => {
    const zip = await simpleModule(MODULE, 'v1.0.0', OTHER)
    const drop = join(data, 'inbox/team/go')
    mkdirSync(drop, { recursive: true })
    writeFileSync(join(data, 'inbox/.new'), zip)
    renameSync(join(data, 'inbox/.new'), join(drop, 'm.zip'))
    const reasons = join(data, 'inbox/rejected/team/go/m.zip.txt')
    await untilLate(() => existsSync(reasons)) // it is not tried for ever
    t.match(readFileSync(reasons, 'utf8'), refusalOf('v1.0.0'))

    const cache = tempFolder()
    const versions = join(cache, 'example.com/!m/@v')
    mkdirSync(versions, { recursive: true })
    writeFileSync(join(versions, 'v1.0.0.zip'), zip)
    writeFileSync(join(versions, 'v1.0.0.mod'), `module ${MODULE}\n\ngo 1.19\n`)
    const imported = run('import', cache, '--owner', 'team', '--json')
    t.equal(imported.code, 1)
    t.match(JSON.parse(imported.stdout.split('\n')[0] ?? ''), {
      result: 'refused',
      reason: refusalOf('v1.0.0'),
    })

    const folder = tempFolder()
    writeFileSync(join(folder, 'm.zip'), zip)
    const to = { PLINTH_URL: plinth.url, PLINTH_OWNER: 'team', PLINTH_TOKEN: TOKEN }
    const published = await runPublish(folder, to, 'm.zip')
    t.match(published, { code: 1, stderr: refusalOf('v1.0.0') }, 'the command passes on what the server says')
    t.notMatch(published.stderr, /published already/)
    t.notOk(existsSync(join(data, 'tree/api/packages/team/go/example.com')), 'nothing has come')
  })

  await t.test('the same content is welcome, packed in another way, too', async (t) => {
    const names: Files = {
      'go.mod': `module ${MODULE}\n\ngo 1.19\n`,
      'm.go': 'package m\n\nconst Version = "v1.0.0"\n',
    }
    const stored = await zipOf(
      Object.fromEntries(Object.entries(names).map(([name, text]) => [`${MODULE}@v1.0.0/${name}`, text])),
      false,
    )
    t.notSame(stored, await simpleModule(MODULE, 'v1.0.0'))
    t.equal((await plinth.publish(stored, 'team')).status, 201)
    t.equal((await put('v1.1.0')).status, 201)
    t.equal((await put('v1.0.1', OTHER)).status, 201, 'a new version may be anything')
  })

  await t.test('plain files', async (t) => {
    const path = '/api/packages/team/generic/tool/1.0'
    for (const name of ['a', 'b']) t.equal((await ask('PUT', `${path}/${name}`, { body: name })).status, 201)
    t.equal((await ask('DELETE', `${path}/a`)).status, 204)
    t.equal((await ask('DELETE', '/api/v1/packages/team/generic/tool/1.0')).status, 204)
    for (const name of ['a', 'b']) {
      const refused = await ask('PUT', `${path}/${name}`, { body: 'other' })
      t.equal(refused.status, 409)
      t.match(refused.body, /^file "\w" of tool 1\.0 was deleted on .*\(sha256 \w{64}\).*\(sha256 \w{64}\)/)
      t.equal((await ask('PUT', `${path}/${name}`, { body: name })).status, 201)
    }
  })

  await t.test('a delete is remembered over kill -9', async (t) => {
    t.equal((await put('v1.5.0')).status, 201)
    const deleting = ask('DELETE', '/api/packages/team/go/example.com/!m/@v/v1.5.0').catch(() => undefined)
    const stone = join(data, stoneOf('team', 'v1.5.0'))
    await until(() => existsSync(stone), 1)
    await plinth.stopShim('SIGKILL')
    await deleting
    await plinth.startShim()
    const isThere = (await plinth.get('/api/packages/team/go/example.com/!m/@v/v1.5.0.info')).status === 200
    const refused = await put('v1.5.0', OTHER)
    t.equal(refused.status, 409)
    t.match(refused.body, isThere ? /exists already/ : refusalOf('v1.5.0'))
  })

  await t.test('verify, backup and restore', async (t) => {
    await plinth.viewsFollowed()
    const path = stoneOf('team', 'v1.2.0')
    const good = readFileSync(join(data, path))
    t.match(run('verify'), { code: 0, stdout: / 0 faults\n/ })
    writeFileSync(join(data, path), good.subarray(0, 60))
    for (const words of [['verify'], ['rebuild']]) {
      const { code, stdout, stderr } = run(...words)
      t.equal(code, 1, words.join())
      t.match(stdout + stderr, path)
    }
    const damaged = await put('v1.2.0')
    t.equal(damaged.status, 409, 'also the right content, since nobody knows')
    t.match(damaged.body, /the file that says what it was is damaged/)
    t.notMatch(damaged.body, data)
    writeFileSync(join(data, path), good)

    const to = join(tempFolder(), 'backup')
    cli('backup', to)
    const restored = join(tempFolder(), 'restored')
    t.match(run('restore', join(to, 'latest'), '--to', restored), { code: 0, stdout: / 0 faults\n$/ })
    const stones = (folder: string) =>
      readdirSync(join(folder, 'state/gone'), { recursive: true, encoding: 'utf8' }).toSorted()
    t.same(stones(restored), stones(data))
    t.same(readFileSync(join(restored, path)), good)
    t.match(runCli({ PLINTH_DATA: restored }, ['owner', 'list']), { stdout: /^team public immutable$/m })
    t.equal(readFileSync(join(restored, 'state/format'), 'utf8'), '2\n')
  })

  await t.test('an owner that is removed is forgotten', async (t) => {
    cli('owner', 'remove', 'team', '--with-packages', '--yes')
    t.notOk(existsSync(join(data, stoneOf('team', 'v1.2.0'))))
    cli('owner', 'add', 'team', '--immutable')
    t.equal((await put('v1.2.0', OTHER)).status, 201, 'a later owner of that name is another one')
  })
})
