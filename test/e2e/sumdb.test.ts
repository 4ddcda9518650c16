// `plinth sumdb` beside the running service and without one: what it refuses, what it prints, what is left when it is
// interrupted; and every way in to an owner with a checksum database.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { watch } from '../support/child.js'
import { CLI, plainNode } from '../support/cli.js'
import { makeGo } from '../support/go.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { askedOfDatabase, databaseOf, enableDatabase, inDatabase } from '../support/sumdb.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { moduleZip, simpleModule } from '../support/zips.js'

const NAME = 'sum.corp.example/team'
/** Versions that are there before the database is. */
const MANY = 150
const WRITERS = 8

const versionAt = (n: number): [module: string, version: string] => [`corp.example/m${n % 20}`, `v1.${n}.0`]

t.test('a database of hundreds of versions', needs('nginx', 'go'), async (t) => {
  const auditLog = join(tempFolder(), 'audit.log')
  const settings = { PLINTH_AUDIT_LOG: auditLog, PLINTH_INBOX_SETTLE_SECONDS: '0' }
  const plinth = await startPlinth(settings, { fast: true })
  t.teardown(plinth.stop)
  const { data, run } = plinth
  const told: string[] = []
  /** Runs `plinth sumdb`; everything that it prints is looked through at the end. */
  const sumdb = (...words: string[]) => {
    const ran = run('sumdb', ...words)
    told.push(ran.stdout, ran.stderr)
    return ran
  }
  const upload = async (module: string, version: string, owner = 'team', more = {}) =>
    plinth.publish(await simpleModule(module, version, more), owner)
  const recordsOf = (owner: string): string[] =>
    readFileSync(join(data, 'state/sumdb', owner, 'records'), 'utf8')
      .split('\n\n')
      .slice(0, -1)
  const lookupOf = (module: string, version: string, owner = 'team'): string =>
    inDatabase(data, owner, NAME, `lookup/${module}@${version}`)
  const remove = (module: string, version: string, owner = 'team') =>
    plinth.ask('DELETE', `/api/packages/${owner}/go/${module}/@v/${version}`)

  const cache = tempFolder()
  for (let n = 0; n < MANY; n++) {
    const [module, version] = versionAt(n)
    mkdirSync(join(cache, module, '@v'), { recursive: true })
    writeFileSync(join(cache, module, '@v', `${version}.zip`), await simpleModule(module, version))
  }
  plinth.cli('import', cache, '--owner', 'team')

  await t.test('what is refused, and with which exit code', async (t) => {
    const rows: [words: string[], code: number, text: RegExp][] = [
      [[], 2, /sumdb takes: enable, show/],
      [['enabel'], 2, /sumdb takes: enable, show.*not "enabel"/],
      [['enable'], 2, /needs an OWNER/],
      [['enable', '../x', '--name', NAME], 2, /cannot name an owner/],
      [['enable', 'team'], 1, /needs a name: --name NAME/],
      [['enable', 'nobody', '--name', NAME], 1, /nobody/],
      [['enable', 'team', '--name', 'team'], 1, /a checksum database cannot be called "team"/],
      [['enable', 'team', '--name', 'sum.corp.example/../x'], 1, /a checksum database cannot be called/],
      [['show', 'team'], 1, /owner team has no checksum database/],
      [['show', 'team', '--at', '0'], 2, /a size is expected/],
      [['show', '--at', '1'], 2, /need an OWNER/],
      [['show', 'team', '--only', 'corp.example/*'], 2, /beginning of module paths/],
      [['rotate', 'team', '--drop', '--name', 'x.example'], 2, /sumdb rotate takes/],
      [['disable', 'team'], 1, /owner team has no checksum database/],
    ]
    for (const [words, code, text] of rows) {
      const ran = sumdb(...words)
      t.equal(ran.code, code, `${words.join(' ')}: ${ran.stderr}`)
      t.match(ran.stderr, text, words.join(' '))
    }
    const none = sumdb('show')
    t.match(none, { code: 0, stderr: /no owner has a checksum database/ })
    const help = run('sumdb', '--help')
    t.equal(help.code, 0)
    for (const action of ['enable', 'show', 'rotate', 'recover', 'disable'])
      t.match(help.stdout, `sumdb ${action}`)
    t.match(run('completion', 'bash').stdout, 'enable show')
    t.notOk(existsSync(join(data, 'state/sumdb/team')), 'nothing was made')
    const dry = sumdb('enable', 'team', '--name', NAME, '--dry-run', '--json')
    t.match(JSON.parse(dry.stdout), { looked: MANY, recorded: MANY, conflicts: 0 })
    t.notOk(existsSync(join(data, 'state/sumdb/team')), 'nor by a dry run')
    t.notOk(existsSync(join(data, 'tree/api/packages/team/go/sumdb')))
  })

  await t.test('enabling is interrupted while others publish, and goes on', async (t) => {
    const published: string[] = []
    const clients = Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        for (let n = 0; n < 8; n++) {
          const [module, version] = [`corp.example/w${writer}`, `v1.${n}.0`]
          const answer = await upload(module, version).catch(() => undefined)
          if (answer?.status === 201) published.push(`${module}@${version}`)
          else if (answer?.status !== 409) n-- // the service is not there at the moment
        }
      }),
    )
    /** How many of the versions that were there before are recorded. */
    const old = (): number =>
      existsSync(join(data, 'state/sumdb/team/records'))
        ? recordsOf('team').filter((record) => record.startsWith('corp.example/m')).length
        : 0
    /** Interrupts what enables when more than `count` old versions are recorded. */
    const interrupted = async (count: number, interrupt: (pid: number) => void | Promise<void>) => {
      const [program, args] = plainNode(CLI, 'sumdb', 'enable', 'team', '--name', NAME, '--yes')
      const child = spawn(program, args, {
        env: { ...process.env, PLINTH_DATA: data },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const { output, ended } = watch(child)
      let over = false
      void ended.then(() => (over = true))
      await until(() => over || old() > count, 1)
      await interrupt(child.pid ?? 0)
      const { code, signal } = await ended
      told.push(output())
      return { code, signal, output: output() }
    }
    const bySignal = await interrupted(0, (pid) => void process.kill(pid, 'SIGINT'))
    t.notOk(existsSync(inDatabase(data, 'team', NAME, 'supported')), 'it is not shown yet')
    t.match(bySignal, { code: 1, signal: null })
    t.match(bySignal.output, /stopped: run it again/)
    t.match(databaseOf(plinth, 'team'), { status: 'enabling' })
    // what was under way when the command left is recorded, and then its line is written
    const isCutOff = /"action":"sumdb enable","owner":"team".*"result":"failed"/
    await until(() => isCutOff.test(readFileSync(auditLog, 'utf8')))
    const byKill = await interrupted(old(), async () => {
      await plinth.stopShim('SIGKILL')
      await plinth.startShim()
    })
    if (byKill.code === 0) t.comment('it had ended before it was killed')
    else t.match(databaseOf(plinth, 'team'), { status: 'enabling' })
    const again = sumdb('enable', 'team', '--name', NAME, '--yes')
    t.equal(again.code, 0, again.stderr)
    t.match(again.stdout, /versions: \d+ recorded now, \d+ were before, 0 cannot be recorded/)
    await clients
    const lines = recordsOf('team').map((record) => record.split(' ').slice(0, 2).join('@'))
    t.equal(new Set(lines).size, lines.length, 'no version is recorded twice')
    const all = [...published, ...Array.from({ length: MANY }, (_, n) => versionAt(n).join('@'))]
    t.same(
      all.filter((version) => !lines.includes(version)),
      [],
      'each version is recorded',
    )
    t.ok(all.every((version) => existsSync(inDatabase(data, 'team', NAME, `lookup/${version}`))))
    t.ok(existsSync(inDatabase(data, 'team', NAME, 'supported')))
    t.match(databaseOf(plinth, 'team'), { status: 'enabled', name: NAME, size: lines.length, earlier: [] })
    t.same(plinth.leftovers(), [])
  })

  const { gosumdb, goproxy } = databaseOf(plinth, 'team')
  /** What go says of versions that it takes with a database. */
  const download = async (env: Record<string, string>, ...versions: string[]) => {
    const go = makeGo(goproxy, { GONOSUMDB: 'none', ...env })
    const got = await go.run(['mod', 'download', '-x', ...versions])
    return { ...got, asked: askedOfDatabase(got.stderr) }
  }

  await t.test('show', async (t) => {
    const records = recordsOf('team')
    const database = databaseOf(plinth, 'team')
    const leaf = createHash('sha256').update(`\0${records[0]}\n`).digest('base64')
    t.equal(sumdb('show', 'team', '--at', '1').stdout.match(/root (\S+) at 1$/m)?.[1], leaf, 'RFC 6962')
    const atEnd = JSON.parse(sumdb('show', 'team', '--at', `${database.size}`, '--json').stdout) as object
    t.match(atEnd, { size: database.size, root: database.root })
    const beyond = sumdb('show', 'team', '--at', `${database.size + 1}`)
    t.equal(beyond.code, 1)
    t.match(beyond.stderr, `never had ${database.size + 1} records`)
    const { stdout } = sumdb('show', 'team')
    t.match(stdout, `${NAME}: the checksum database of team, enabled, ${database.size} records\n`)
    t.match(stdout, `GOPROXY=${plinth.url}/api/packages/team/go\nGOSUMDB=${gosumdb}\n`)
    t.match(gosumdb, /^sum\.corp\.example\/team\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/)
    t.equal(sumdb('enable', 'team').code, 0, 'to enable it again does no harm')
    t.equal(databaseOf(plinth, 'team').size, database.size)
    const used = sumdb('enable', 'admin', '--name', NAME)
    t.equal(used.code, 1)
    t.match(used.stderr, /had a key before, for owner team/)
    const other = sumdb('enable', 'team', '--name', 'other.example')
    t.equal(other.code, 1)
    t.match(other.stderr, /is called sum\.corp\.example\/team: .*sumdb rotate team --name other\.example/)
  })

  await t.test('every way in', async (t) => {
    const before = recordsOf('team').length
    const form = (zip: Buffer): Buffer =>
      Buffer.concat([
        Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="m.zip"\r\n\r\n'),
        zip,
        Buffer.from('\r\n--b--\r\n'),
      ])
    const drop = (name: string, zip: Buffer): void => {
      mkdirSync(dirname(join(data, 'inbox', name)), { recursive: true })
      writeFileSync(join(data, 'elsewhere'), zip)
      renameSync(join(data, 'elsewhere'), join(data, 'inbox', name))
    }
    const folderWith = (module: string, version: string, zip: Buffer): string => {
      const folder = tempFolder()
      mkdirSync(join(folder, module, '@v'), { recursive: true })
      writeFileSync(join(folder, module, '@v', `${version}.zip`), zip)
      return folder
    }
    const ways: [way: string, publish: (module: string, version: string, zip: Buffer) => Promise<string>][] =
      [
        ['upload', async (_module, _version, zip) => (await plinth.publish(zip, 'team')).body],
        [
          'a form, as clients of Gitea do',
          async (_module, _version, zip) => {
            const headers = { 'content-type': 'multipart/form-data; boundary=b' }
            const asking = { body: form(zip), headers }
            return (await plinth.ask('POST', '/api/packages/team/go/upload', asking)).body
          },
        ],
        [
          'inbox',
          async (module, version, zip) => {
            const name = `team/go/${version}.zip`
            const rejected = join(data, 'inbox/rejected', `${name}.txt`)
            drop(name, zip)
            const file = join(data, 'tree/api/packages/team/go', module, '@v', `${version}.info`)
            await until(() => existsSync(file) || existsSync(rejected))
            return existsSync(rejected) ? readFileSync(rejected, 'utf8') : 'published'
          },
        ],
        [
          'import',
          async (module, version, zip) => {
            const folder = folderWith(module, version, zip)
            const ran = run('import', folder, '--owner', 'team')
            return ran.stdout + ran.stderr
          },
        ],
      ]
    for (const [n, [way, publish]] of ways.entries()) {
      const [module, version] = ['corp.example/ways', `v1.${n}.0`]
      const zip = await simpleModule(module, version)
      const said = await publish(module, version, zip)
      const lookup = lookupOf(module, version)
      t.ok(existsSync(lookup), `${way}: ${said}`)
      const [id, line, modLine] = readFileSync(lookup, 'utf8').split('\n')
      t.equal(Number(id), before + n, way)
      t.equal((await remove(module, version)).status, 204)
      t.ok(existsSync(lookup), 'the record stays')
      const other = await publish(
        module,
        version,
        await simpleModule(module, version, { 'b.go': 'package m\n' }),
      )
      const then = line?.split(' ')[2] ?? ''
      const text =
        `${module} ${version} was published before with other content (${then}), which is recorded in the checksum ` +
        'database: every client that knows it would refuse this one (h1:'
      t.match(other, text, `${way}: a conflict`)
      t.match(other, /\(h1:[^)]{44}\)\. Publish a new version\./)
      t.equal((await plinth.get(`/api/packages/team/go/${module}/@v/${version}.zip`)).status, 404)
      t.match(modLine, `${module} ${version}/go.mod h1:`)
      // with one go.mod for another, the zip's hash is another one, too: what is named is the zip's
      const packed = await moduleZip(module, version, {
        'm.go': `package m\n\nconst Version = "${version}"\n`,
        'go.mod': `module ${module}\n\ngo 1.19\n`,
      })
      t.notOk(packed.equals(zip), 'the same files, packed otherwise')
      t.equal((await plinth.publish(packed, 'team')).status, 201, 'are welcome')
      t.equal(recordsOf('team').length, before + n + 1, 'and recorded once')
    }
    const got = await download({ GOSUMDB: gosumdb }, ...ways.map((_, n) => `corp.example/ways@v1.${n}.0`))
    t.equal(got.code, 0, got.stderr)
    const stranger = await moduleZip('sumdb/sum.golang.org', 'v1.0.0', {
      'go.mod': 'module sumdb/sum.golang.org\n',
    })
    t.equal((await plinth.publish(stranger, 'team')).status, 400, 'no module comes into the folder')
    // "{last element}@{version}" is a name in the database, and in go's own cache
    const last = `corp.example/${'m'.repeat(200)}`
    for (const [length, team] of [
      [255, 201],
      [256, 400],
    ] as const) {
      const version = `v1.0.0-${'r'.repeat(length - 200 - '@v1.0.0-'.length)}`
      const answer = await upload(last, version)
      t.equal(answer.status, team, `${length}: ${answer.body}`)
      t.equal((await upload(last, version, 'admin')).status, 201, `${length} without a database`)
      if (team === 201) t.match(await download({ GOSUMDB: gosumdb }, `${last}@${version}`), { code: 0 })
    }
  })

  await t.test('rotate', async (t) => {
    const { size } = databaseOf(plinth, 'team')
    t.equal(sumdb('rotate', 'team', '--name', NAME).code, 1, 'a name is for one key')
    const nothing = sumdb('recover', 'team')
    t.equal(nothing.code, 1)
    t.match(nothing.stderr, /is in order: there is nothing to recover/)
    const name = 'sum.corp.example/team-2'
    const rotated = sumdb('rotate', 'team', '--name', name, '--json')
    t.equal(rotated.code, 0, rotated.stderr)
    const now = JSON.parse(rotated.stdout) as { gosumdb: string }
    t.match(now, { name, size, status: 'enabled', earlier: [NAME] })
    t.equal((await upload('corp.example/new', 'v1.0.0')).status, 201)
    t.equal(databaseOf(plinth, 'team').size, size + 1)
    const versions = ['corp.example/m1@v1.1.0', 'corp.example/new@v1.0.0']
    t.equal((await download({ GOSUMDB: now.gosumdb }, ...versions)).code, 0)
    t.equal((await download({ GOSUMDB: gosumdb }, versions[0] ?? '')).code, 0, 'the old name still answers')
    t.equal((await download({ GOSUMDB: gosumdb }, versions[1] ?? '')).code, 1, 'of what was recorded then')
    const dropped = sumdb('rotate', 'team', '--drop')
    t.equal(dropped.code, 0)
    t.equal(dropped.stdout, `dropped: ${NAME}\n`)
    t.match((await download({ GOSUMDB: gosumdb }, versions[0] ?? '')).asked, ['supported 404'])
    t.equal((await download({ GOSUMDB: now.gosumdb }, ...versions)).code, 0)
    t.equal(sumdb('rotate', 'team', '--name', NAME).code, 1, 'a dropped name had a key, too')
  })

  await t.test('disable, other content meanwhile, enable', async (t) => {
    const { name = '', gosumdb: ours, size } = databaseOf(plinth, 'team')
    const [module, version] = versionAt(7)
    const disabled = sumdb('disable', 'team', '--yes')
    t.equal(disabled.code, 0, disabled.stderr)
    t.match(disabled.stdout, `of team, disabled, ${size} records`)
    t.notOk(existsSync(join(data, 'tree/api/packages/team/go/sumdb')))
    t.match((await download({ GOSUMDB: ours }, `${module}@${version}`)).asked, ['supported 404'])
    t.equal((await remove(module, version)).status, 204)
    t.equal(
      (await upload(module, version, 'team', { 'other.go': 'package m\n' })).status,
      201,
      'bytes may change',
    )
    t.equal((await upload('corp.example/meanwhile', 'v1.0.0')).status, 201)
    await plinth.stopShim()
    const alone = sumdb('enable', 'team', '--yes')
    t.equal(alone.code, 1, 'without a service')
    await plinth.startShim()
    const refused = sumdb('enable', 'team', '--yes')
    t.equal(refused.code, 1)
    t.match(refused.stdout, `${module}@${version}: it has other content than is recorded of it\n`)
    t.match(refused.stdout, /1 cannot be recorded as they are\n/)
    t.notOk(existsSync(inDatabase(data, 'team', name, 'supported')), 'it is not shown')
    t.equal((await upload(module, version)).status, 409)
    t.equal((await remove(module, version)).status, 204)
    const enabled = sumdb('enable', 'team', '--yes')
    t.equal(enabled.code, 0, enabled.stderr + enabled.stdout)
    t.equal((await upload(module, version)).status, 201, 'the bytes of before')
    t.match(databaseOf(plinth, 'team'), { status: 'enabled', size: size + 1, gosumdb: ours })
    const got = await download({ GOSUMDB: ours }, `${module}@${version}`, 'corp.example/meanwhile@v1.0.0')
    t.equal(got.code, 0, got.stderr)
  })

  await t.test('without a service', async (t) => {
    plinth.cli('owner', 'add', 'alone')
    t.equal((await upload('corp.example/a', 'v1.0.0', 'alone')).status, 201)
    await plinth.stopShim()
    t.equal(enableDatabase(plinth, 'alone', 'sum.corp.example/alone').size, 1)
    t.equal(sumdb('rotate', 'alone', '--name', 'sum.corp.example/alone-2', '--yes').code, 0)
    t.equal(sumdb('disable', 'alone', '--yes').code, 0)
    t.equal(sumdb('enable', 'alone', '--yes').code, 0)
    await plinth.startShim()
    t.equal((await upload('corp.example/a', 'v1.1.0', 'alone')).status, 201)
    t.match(databaseOf(plinth, 'alone'), { status: 'enabled', size: 2, name: 'sum.corp.example/alone-2' })
  })

  await t.test('the logs have it, and no key', async (t) => {
    const audit = readFileSync(auditLog, 'utf8').trim().split('\n')
    const lines = audit
      .map((line) => JSON.parse(line) as { action?: string; owner?: string; what?: string; result?: string })
      .filter(({ action }) => action?.startsWith('sumdb'))
    const has = (action: string, owner: string, result: string): boolean =>
      lines.some(
        (line) => line.action === `sumdb ${action}` && line.owner === owner && line.result === result,
      )
    t.ok(has('enable', 'team', 'done'))
    t.ok(has('enable', 'team', 'failed'), 'cut off')
    t.ok(has('enable', 'nobody', 'refused'))
    t.ok(has('rotate', 'team', 'done'))
    t.ok(has('rotate', 'team', 'refused'))
    t.ok(has('drop', 'team', 'done'))
    t.ok(has('disable', 'team', 'done'))
    t.ok(has('enable', 'alone', 'done'), 'by a command alone')
    t.notOk(lines.some(({ action }) => action === 'sumdb show'))
    const { size, root = '' } = databaseOf(plinth, 'team')
    const everything = [plinth.log(), ...audit, ...told].join('\n')
    t.match(everything, `"event":"recorded","owner":"team","size":${size},"root":"${root}"`)
    const keys = readdirSync(join(data, 'state/sumdb'), { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('/key'),
    )
    t.equal(keys.length, 4, 'those of before are kept')
    for (const path of keys) {
      const file = join(data, 'state/sumdb', path)
      const secret = readFileSync(file, 'utf8').trim().split('+').slice(4).join('+')
      t.ok(secret.length > 40)
      t.notOk(everything.includes(secret), `${path} is told to nobody`)
      t.equal(statSync(file).mode & 0o777, 0o600)
      t.equal(statSync(dirname(file)).mode & 0o777, 0o700)
    }
    t.notMatch(everything, /PRIVATE\+KEY/)
  })
})
