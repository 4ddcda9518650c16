// The lines of the manual on checksum databases, as an operator and a client type them, with the real go.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
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
  shell(block(MANUAL, 'For CI with the internet'), { ...inCi, ...proxy })
  const other = { ...inCi, OURS: gosumdb.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }
  t.throws(() => shell(block(MANUAL, 'For CI with the internet'), { ...other, ...proxy }), 'another key')

  t.match(shell(block(MANUAL, 'A checksum database', 2)), /^GOSUMDB=sum\.corp\.example\/team-2\+/m)
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
})
