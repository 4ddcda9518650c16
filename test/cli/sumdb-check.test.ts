// `plinth sumdb check` against databases that are right, and against servers that lie, stop, or never end: it passes
// the former alone, and what it remembers is never worse than before.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { newSigner, signHead } from '../../src/sumdb/note.js'
import { lookupName } from '../../src/sumdb/paths.js'
import { CLI, plainNode } from '../support/cli.js'
import { answer, startScriptedServer, type Handler } from '../support/scripted-server.js'
import { hashOf, nthLines, nthSums, nthVersion, ServedDatabase } from '../support/served-database.js'
import { tempFolder } from '../support/temp-folder.js'

const SIGNER = newSigner('sum.corp.example/team')
const OTHER_ROOT = Buffer.alloc(32, 9)
const pathTo = (id: number): string => `lookup/${lookupName(nthVersion(id))}`
const goSum = (...ids: number[]): string => ids.map(nthLines).join('')

type Ran = { code: number | null; lines: string[]; stderr: string }

/** Runs the command in a folder of its own, which has a go.sum. */
function inFolder(sum = goSum(0, 5, 280)) {
  const folder = tempFolder('plinth-check')
  const home = join(folder, 'home')
  mkdirSync(home)
  writeFileSync(join(folder, 'go.sum'), sum)
  const run = (setting: string, words: string[] = [], env: Record<string, string> = {}): Promise<Ran> =>
    new Promise((resolve) => {
      const [program, args] = plainNode(CLI, 'sumdb', 'check', 'go.sum', ...words)
      const { PLINTH_TOKEN: _token, PLINTH_URL: _url, ...others } = process.env
      const settings = { HOME: home, PLINTH_DATA: join(folder, 'none'), PLINTH_SUMDB: setting }
      const child = spawn(program, args, { cwd: folder, env: { ...others, ...settings, ...env } })
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
      child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
      child.once('close', (code) =>
        resolve({ code, lines: stdout.split('\n').filter((line) => line !== ''), stderr }),
      )
    })
  return { folder, home, run, head: join(folder, 'cache/head') }
}

/** A server of a database. `lies` are answers of its own to some paths, without their slash. */
async function serve(t: Test, database: ServedDatabase) {
  const server = await startScriptedServer()
  t.teardown(() => server.stop())
  const lies = new Map<string, Handler>()
  let [open, most] = [0, 0]
  server.handle = (req, res) => {
    most = Math.max(most, ++open)
    res.on('close', () => open--)
    const path = decodeURIComponent(req.url ?? '').replace('/sumdb/', '')
    const content = database.files.get(path)
    const lie = lies.get(path)
    if (lie) lie(req, res)
    else setImmediate(() => (content ? res.end(content) : res.writeHead(404).end('not found')))
  }
  return { server, lies, setting: `${database.key} ${server.url}/sumdb`, mostAtOnce: () => most }
}

const good = (size = 300): ServedDatabase => ServedDatabase.of(size, { batch: 10, signer: SIGNER })

t.test('lines that are recorded, by http and from a folder', async (t) => {
  const database = good()
  const { run, head, folder } = inFolder(goSum(...Array(300).keys()))
  const { setting, server, mostAtOnce } = await serve(t, database)
  const all = await run(setting, ['--head', 'cache/head'])
  t.same(all.stderr, '')
  t.match(all, {
    code: 0,
    lines: [/^600 lines of 300 versions are recorded in sum\.corp\.example\/team: 300 records/],
  })
  t.equal(readFileSync(head, 'utf8'), database.heads[300])
  t.ok(mostAtOnce() <= 8, `${mostAtOnce()} requests at once`)
  t.ok(server.seen.length < 320, `${server.seen.length} requests for 300 versions`)
  t.ok(server.seen.every(({ authorization }) => authorization === undefined))

  database.writeTo(join(folder, 'db'))
  const url = pathToFileURL(join(folder, 'db')).href
  const json = await run(`${database.key} ${url}/`, ['--json', '--head', 'cache/head'])
  t.match(
    { code: json.code, ...(JSON.parse(json.lines.join()) as object) },
    { code: 0, failed: 0, lines: 600, size: 300 },
  )
  t.same(readdirSync(join(folder, 'cache')), ['head'], 'nothing is left beside it')
  t.notOk(existsSync(join(folder, 'none')), 'no data folder is made')
})

t.test('each line that fails', async (t) => {
  const database = good()
  const { setting } = await serve(t, database)
  const wrong = nthSums(5).zip
  const bad = hashOf(77)
  const more = [
    nthLines(5).replace(wrong, bad).split('\n')[0],
    `corp.example/none v1.0.0 ${bad}`,
    `corp.example/none v1.0.0/go.mod ${bad}`,
    `corp.example/../x v1.0.0 ${bad}`,
    `public.example/x v1.0.0 ${bad}`,
    'corp.example/m0 v1.0.0 h2:unknown',
  ]
  const { run, head } = inFolder(`${goSum(0, 5)}${more.join('\n')}\n`)
  const found = await run(setting, [
    '--only',
    'corp.example',
    '--only',
    'corp.example/m1/',
    '--head',
    'cache/head',
  ])
  t.equal(found.code, 1)
  t.same(found.lines, [
    `corp.example/m0 v1.5.0: mismatch: go.sum has ${bad}, and ${wrong} is recorded`,
    'corp.example/none v1.0.0: not recorded: the database has no record of this version',
    'corp.example/none v1.0.0/go.mod: not recorded: the database has no record of this version',
    'corp.example/../x v1.0.0: not recorded: malformed module path "corp.example/../x": invalid path element ".."',
  ])
  t.equal(readFileSync(head, 'utf8'), database.heads[300], 'the log is what it was, all the same')
  const json = await run(setting, ['--only', 'corp.example/none', '--json'])
  t.same(
    json.lines.map((line) => (JSON.parse(line) as { problem?: string; failed?: number }).problem),
    ['not recorded', 'not recorded', undefined],
  )
  t.match(await run(setting, ['--only', 'corp.example/n']), { code: 0, stderr: /nothing to check/ })
})

t.test('what is remembered is continued, or stays as it is', async (t) => {
  const database = good()
  const { setting } = await serve(t, database)
  const { run, head } = inFolder(goSum(0))
  mkdirSync(join(head, '..'))
  const words = ['--head', 'cache/head']

  writeFileSync(head, database.heads[30] ?? '')
  t.match(await run(setting, words), { code: 0 })
  t.equal(readFileSync(head, 'utf8'), database.heads[300], 'it is replaced by the newer one')
  const { ino } = statSync(head)
  t.match(await run(setting, words), { code: 0 })
  t.equal(statSync(head).ino, ino, 'without a newer one it stays')

  const forked = signHead(SIGNER, { size: 30, root: OTHER_ROOT })
  const older = good(310)
  for (const [title, known] of Object.entries({ forked, older: older.heads[310] ?? '' })) {
    writeFileSync(head, known)
    const { code, lines, stderr } = await run(setting, words)
    t.equal(code, 1, title)
    t.match(lines, [
      /^the log is no continuation of what it was: the heads of \d+ records, root .* are not of one log/,
    ])
    for (const text of [known, database.heads[300] ?? ''])
      for (const line of text.split('\n')) t.ok(stderr.includes(line), `the evidence has ${line}`)
    t.equal(readFileSync(head, 'utf8'), known, `${title}: it stays`)
    const json = await run(setting, [...words, '--json'])
    t.match(JSON.parse(json.lines.join()), { problem: 'fork', heads: [known, database.heads[300]] })
  }

  for (const text of ['', 'x', signHead(newSigner(SIGNER.name), database.headAt(300)), 'x'.repeat(100_000)]) {
    writeFileSync(head, text)
    t.match(await run(setting, words), { code: 1, lines: [], stderr: /is no head that .* signed/ })
    t.equal(readFileSync(head, 'utf8'), text)
  }
})

t.test('another check has remembered a head meanwhile', async (t) => {
  const database = good()
  const { setting, lies } = await serve(t, database)
  const { run, head } = inFolder(goSum(0))
  const meanwhile = (text: string) =>
    lies.set(pathTo(0), (_req, res) => {
      mkdirSync(join(head, '..'), { recursive: true })
      writeFileSync(head, text)
      res.end(database.files.get(pathTo(0)))
    })
  meanwhile(database.heads[290] ?? '')
  t.match(await run(setting, ['--head', 'cache/head']), { code: 0 })
  t.equal(readFileSync(head, 'utf8'), database.heads[300])
  const forked = signHead(SIGNER, { size: 200, root: OTHER_ROOT })
  meanwhile(forked)
  t.match(await run(setting, ['--head', 'cache/head']), { code: 1, lines: [/no continuation/] })
  t.equal(readFileSync(head, 'utf8'), forked)
})

const withHead =
  (size: number, root = OTHER_ROOT): Handler =>
  (req, res) => {
    const [record] = String(good().files.get(pathTo(5))).split('\n\n')
    answer(200, `${record}\n\n${signHead(SIGNER, { size, root })}`)(req, res)
  }
const endless: Handler = (_req, res) => {
  res.on('error', () => {})
  const more = (): void => void (res.destroyed || res.write('x'.repeat(65_536), more))
  more()
}

/** A path, the answer to it, and what is said then: on standard output of a line that fails, or in an error. */
const LIES: [title: string, path: string, lie: Handler, said: RegExp][] = [
  ['two heads of one size', pathTo(5), withHead(300), /no continuation.* are not of one log/],
  ['an older head of another log', pathTo(5), withHead(20), /no continuation.* are not of one log/],
  ['a newer head of another log', pathTo(5), withHead(305), /v1\.5\.0: not proved: .*is not there/],
  ['a head of no records', pathTo(5), withHead(0), /v1\.5\.0: not proved: .* its head does not have/],
  [
    'a wrong tile',
    'tile/8/0/000',
    answer(200, 'x'.repeat(8192)),
    /not proved: tile\/8\/0\/000 is not the tile/,
  ],
  ['a short tile', 'tile/8/0/000', answer(200, 'x'), /not proved: tile\/8\/0\/000 has 1 bytes/],
  [
    'a wrong partial tile',
    'tile/8/1/000.p/1',
    answer(200, 'x'.repeat(32)),
    /^not proved: .* another root than/,
  ],
  ['no partial tile', 'tile/8/0/001.p/44', answer(404), /^not proved: tile\/8\/0\/001\.p\/44 is not there/],
  [
    'a page for a lookup',
    pathTo(5),
    answer(200, '<html>', { 'content-type': 'text/html' }),
    /v1\.5\.0: not proved: .*is not the answer/,
  ],
  [
    'a page for latest',
    'latest',
    answer(200, '<html>', { 'content-type': 'text/html' }),
    /^not proved: latest is no head/,
  ],
  ['no latest', 'latest', answer(404, '<html>'), /^not proved: latest is not there/],
  [
    'latest of another root',
    'latest',
    answer(200, signHead(SIGNER, { size: 300, root: OTHER_ROOT })),
    /^not proved: .* another root/,
  ],
  [
    'a redirect',
    'latest',
    answer(302, '', { location: 'http://elsewhere.example/\x9b2J' }),
    /sends us to http:\/\/elsewhere.*not followed: PLINTH_SUMDB/,
  ],
  ['a redirect of a lookup', pathTo(5), answer(302, '', { location: '/x' }), /sends us to \/x/],
  ['no right to read', 'latest', answer(401, 'no'), /401: it needs the credentials/],
  ['an error', pathTo(5), answer(500, 'oh\x1b[2Jno'), /refused it with 500/],
  ['an answer without an end', pathTo(5), endless, /larger than \d+ bytes/],
  ['a tile without an end', 'tile/8/0/000', endless, /larger than 8192 bytes/],
  ['latest without an end', 'latest', endless, /larger than \d+ bytes/],
  ['a connection that ends', pathTo(5), (req) => void req.socket.destroy(), /cannot be asked/],
]

t.test('servers that lie', async (t) => {
  const { run, head } = inFolder()
  const { setting, lies } = await serve(t, good())
  mkdirSync(join(head, '..'))
  const known = good().heads[30] ?? ''
  for (const [title, path, lie, said] of LIES) {
    writeFileSync(head, known)
    lies.clear()
    lies.set(path, lie)
    const { code, lines, stderr } = await run(setting, ['--head', 'cache/head'])
    t.equal(code, 1, title)
    t.match([...lines, stderr].join('\n'), new RegExp(said.source, 'm'), title)
    t.notMatch(`${lines.join()}${stderr}`, /[\x1b\x9b]/, `${title}: nothing that a terminal obeys`)
    const isOfALine = lines[0]?.startsWith('corp.example/') === true
    t.equal(readFileSync(head, 'utf8'), isOfALine ? good().heads[300] : known, `${title}: what is remembered`)
  }
})

t.test('a folder with odd files', async (t) => {
  const { run, folder } = inFolder()
  const db = join(folder, 'db')
  const setting = `${good().key} ${pathToFileURL(db).href}`
  t.match(await run(setting), { code: 1, lines: [/^not proved: latest is not there/] })
  good().writeTo(db)
  writeFileSync(join(db, 'latest'), 'x'.repeat(100_000))
  t.match(await run(setting), { code: 1, lines: [], stderr: /latest is larger than 65536 bytes/ })
  const folderThere = join(folder, 'dir')
  mkdirSync(join(folderThere, 'latest'), { recursive: true })
  t.match(await run(`${good().key} ${pathToFileURL(folderThere).href}`), {
    code: 1,
    stderr: /latest is not a file/,
  })
})

t.test('whose token goes where', async (t) => {
  const database = good()
  const { run, home } = inFolder()
  const { setting, server } = await serve(t, database)
  const login = 'machine 127.0.0.1 login ci password from-netrc\n'
  const basic = (account: string, token: string): string =>
    `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`
  const sent = async (env: Record<string, string>): Promise<string | undefined> => {
    server.seen.length = 0
    t.match(await run(setting, [], env), { code: 0 })
    t.equal(new Set(server.seen.map(({ authorization }) => authorization)).size, 1)
    return server.seen[0]?.authorization
  }
  const token = { PLINTH_TOKEN: 'a-token', PLINTH_ACCOUNT: 'me' }
  t.equal(await sent({}), undefined)
  t.equal(await sent(token), undefined, 'nobody said that the token is for this server')
  t.equal(await sent({ ...token, PLINTH_URL: 'https://plinth.example.com' }), undefined)
  t.equal(await sent({ ...token, PLINTH_URL: server.url }), basic('me', 'a-token'))
  writeFileSync(join(home, '.netrc'), login)
  t.equal(await sent({}), basic('ci', 'from-netrc'))
  t.equal(await sent(token), basic('ci', 'from-netrc'))
  writeFileSync(join(home, '.netrc'), 'default login ci password from-netrc\n')
  t.equal(await sent({}), undefined)
  writeFileSync(join(home, '.netrc'), 'machine plinth.example.com login ci password x\n')
  t.match(await run(`${database.key} http://plinth.example.com/x`), { code: 1, stderr: /over plain http/ })
})

t.test('wrong usage', async (t) => {
  const { run } = inFolder()
  const { key } = good()
  const CODES: [code: number, setting: string, words: string[], said: RegExp][] = [
    [1, '', [], /the checksum database is missing: set PLINTH_SUMDB/],
    [1, 'x', [], /is not the key of a checksum database/],
    [1, key, [], /no URL behind the key/],
    [1, `${key} ftp://x`, [], /no URL behind the key/],
    [1, `${key} https://a https://b`, [], /no URL behind the key/],
    [1, `${key} https://me:secret@plinth.example.com`, [], /holds a password/],
    [1, `${key} https://plinth.example.com/?x`, [], /without a query/],
    [1, `${key.slice(0, -4)}AAAA https://plinth.example.com`, [], /is not the key/],
    [2, `${key} http://127.0.0.1:1`, ['--only', '*.corp.example'], /--only takes/],
    [2, `${key} http://127.0.0.1:1`, ['--only', ''], /--only takes/],
    [2, `${key} http://127.0.0.1:1`, ['--head', ''], /--head takes/],
    [2, `${key} http://127.0.0.1:1`, ['--what'], /Unknown option/],
    [1, `${key} http://127.0.0.1:1`, ['none.sum'], /none\.sum: ENOENT/],
    [1, `${key} http://127.0.0.1:1`, [], /127\.0\.0\.1:1 cannot be asked: .*ECONNREFUSED/],
  ]
  for (const [code, setting, words, said] of CODES) {
    const ran = await run(setting, words)
    t.match(ran, { code, lines: [], stderr: said }, `${setting} ${words.join(' ')}`)
    t.notMatch(ran.stderr, 'secret')
  }
})

t.test('10,000 lines in little memory', async (t) => {
  const database = ServedDatabase.of(5000, { batch: 250, signer: SIGNER })
  const { run, folder } = inFolder(goSum(...Array(5000).keys()))
  database.writeTo(join(folder, 'db'))
  const { code, lines } = await run(`${database.key} ${pathToFileURL(join(folder, 'db')).href}`, [], {
    NODE_OPTIONS: '--max-old-space-size=24',
  })
  t.equal(code, 0)
  t.match(lines, [/^10000 lines of 5000 versions/])
})
