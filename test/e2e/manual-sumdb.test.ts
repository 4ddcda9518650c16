// The lines of the manual on checksum databases, as an operator and a client type them, with the real go.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { audit } from '../support/auditor.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { makeGo } from '../support/go.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { simpleModule } from '../support/zips.js'

t.test('a checksum database, by the manual', needs('go'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const folder = tempFolder('plinth-sumdb')
  const shell = (lines: string, env: Record<string, string> = {}): string =>
    execFileSync(
      'bash',
      ['-euc', lines.replaceAll('scripts/plinth', `env -u NODE_OPTIONS '${ROOT}scripts/plinth'`)],
      {
        cwd: folder,
        encoding: 'utf8',
        env: {
          ...process.env,
          ...makeGo('off', { GONOSUMDB: '' }).env,
          PLINTH_DATA: plinth.data,
          PLINTH: plinth.url,
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
  await plinth.publish(await simpleModule('corp.example/m', 'v1.0.0'), 'team')

  const format = (): string => readFileSync(join(plinth.data, 'state/format'), 'utf8')
  t.equal(format(), '1\n')
  const said = shell(block(MANUAL, 'A checksum database'))
  t.equal(format(), '2\n', 'a program of before would publish without a record')
  const [, gosumdb = ''] = /^GOSUMDB=(\S+)$/m.exec(said) ?? []
  t.match(gosumdb, /^sum\.corp\.example\/team\+[0-9a-f]{8}\+/)
  t.match(said, new RegExp(`^GOPROXY=\\S+/api/packages/team/go$`, 'm'))

  mkdirSync(join(folder, 'app'))
  writeFileSync(join(folder, 'app/go.mod'), 'module app\n\ngo 1.21\n')
  const client = block(MANUAL, 'A checksum database', 1)
  t.match(client, /GOSUMDB=sum\.corp\.example\/team\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n/, 'an example of a key')
  shell(`cd app\n${client.replace(/GOSUMDB=\S+/, `GOSUMDB=${gosumdb}`)}`)
  t.match(readFileSync(join(folder, 'app/go.sum'), 'utf8'), /^corp\.example\/m v1\.0\.0 h1:/m)

  const [, others = ''] =
    /^GONOSUMDB=(\S+)$/m.exec(shell('scripts/plinth sumdb show team --only corp.example')) ?? []
  const inCi = { PROJECT: join(folder, 'app'), OURS: gosumdb, OTHERS: others }
  const proxy = { GOPROXY: `${plinth.url}/api/packages/team/go` }
  shell(block(MANUAL, 'For CI with the internet', 1), { ...inCi, ...proxy })
  const other = { ...inCi, OURS: gosumdb.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }
  t.throws(() => shell(block(MANUAL, 'For CI with the internet', 1), { ...other, ...proxy }), 'another key')

  const [, setting = ''] = /^PLINTH_SUMDB='(.+)'$/m.exec(said) ?? []
  mkdirSync(join(folder, 'bin'))
  symlinkSync(join(ROOT, 'scripts/plinth'), join(folder, 'bin/plinth'))
  const check = `cd app\n${block(MANUAL, 'For CI with the internet')}`
  const forCheck = {
    PLINTH_SUMDB: setting,
    PLINTH_DATA: join(folder, 'none'),
    NODE_OPTIONS: '',
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
  }
  t.match(
    shell(check, forCheck),
    /^2 lines of 1 versions are recorded in sum\.corp\.example\/team: 1 records/,
  )
  t.match(shell(check, forCheck), /^2 lines/, 'what is remembered is continued')
  t.match(readFileSync(join(folder, 'app/.cache/sumdb-head'), 'utf8'), /^go\.sum database tree\n1\n/)
  const goSum = readFileSync(join(folder, 'app/go.sum'), 'utf8')
  writeFileSync(join(folder, 'app/go.sum'), goSum.replace(/ h1:.{4}/, ' h1:AAAA'))
  try {
    t.fail(shell(check, forCheck))
  } catch (error) {
    t.match(error, { status: 1, stdout: /^corp\.example\/m v1\.0\.0: mismatch: go\.sum has h1:AAAA/ })
  }
  writeFileSync(join(folder, 'app/go.sum'), goSum)

  const rotated = shell(block(MANUAL, 'A checksum database', 2))
  t.match(rotated, /^GOSUMDB=sum\.corp\.example\/team-2\+/m)
  shell('scripts/plinth sumdb rotate team --drop')

  // only state/ is older than the tree
  await plinth.stopShim()
  cpSync(join(plinth.data, 'state/sumdb'), join(folder, 'older'), { recursive: true })
  await plinth.startShim()
  await plinth.publish(await simpleModule('corp.example/m', 'v1.1.0'), 'team')
  await plinth.stopShim()
  rmSync(join(plinth.data, 'state/sumdb'), { recursive: true })
  cpSync(join(folder, 'older'), join(plinth.data, 'state/sumdb'), { recursive: true })
  await plinth.startShim()
  const refused = await plinth.publish(await simpleModule('corp.example/m', 'v1.2.0'), 'team')
  t.match(refused, { status: 503, body: /sumdb recover team/ })
  t.match(shell(block(MANUAL, 'A checksum database', 3)), / 2 records$/m)
  t.match(await plinth.publish(await simpleModule('corp.example/m', 'v1.2.0'), 'team'), { status: 201 })

  const tree = join(plinth.data, 'tree/api/packages/team/go')
  const [, key = ''] = /^GOSUMDB=(\S+)$/m.exec(rotated) ?? []
  const db = join(tree, 'sumdb/sum.corp.example/team-2')
  const audited = await audit({ key, db, tree, state: join(plinth.data, 'state/sumdb/team') })
  t.same(audited.problems, [])
  t.equal(audited.versions, 3)
})
