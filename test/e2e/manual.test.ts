// The lines and tables of the manual that no other test has, on one Plinth as `npm start` runs it, with TLS and all logs.

import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { connect } from 'node:tls'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { makeCertificate } from '../support/certificate.js'
import { runCli } from '../support/cli.js'
import { block, eachRow, linesOf, MANUAL, ROOT, table } from '../support/documents.js'
import { ask as askAt, askRaw, AUTH, TOKEN, type Answer, type Asking } from '../support/http.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { childOf, childrenOf, settingsOfStarts, start, type Start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { onTerminal } from '../support/terminal.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

type Json = Record<string, unknown>

const certificate = makeCertificate()
const folder = tempFolder('plinth-manual')
const data = join(folder, 'data')
const port = await freePort()
const URL_HERE = `https://localhost:${port}`
const env = {
  ...certificate.env,
  PLINTH_DATA: data,
  PLINTH_LISTEN: `127.0.0.1:${port}`,
  PLINTH_ADMIN_TOKEN: TOKEN,
  PLINTH_FAILED_LOGINS: '100000',
  PLINTH_WRITE_RATE: '0',
  PLINTH_ACCESS_LOG: '1',
  PLINTH_AUDIT_LOG: '1',
  PLINTH_INBOX_SETTLE_SECONDS: '0',
}
/** What a client of it has in its environment. */
const client = { SSL_CERT_FILE: certificate.path, CURL_CA_BUNDLE: certificate.path, PLINTH: URL_HERE, TOKEN }

const ask = (method: string, path: string, asking: Asking = {}): Promise<Answer> =>
  askAt(port, method, path, { ca: certificate.ca, via: { servername: 'localhost' }, ...asking })
const get = (path: string, auth: string | false = false): Promise<Answer> => ask('GET', path, { auth })
const cli = (...words: string[]): string => {
  const { code, stdout, stderr } = runCli({ PLINTH_DATA: data }, words)
  if (code !== 0) throw new Error(`plinth ${words.join(' ')}: ${stderr}`)
  return stdout
}
/** The lines of a block, run as a reader copies them. */
const shell = (lines: string, more: Record<string, string> = {}): string =>
  execFileSync(
    'sh',
    ['-euc', lines.replaceAll('scripts/plinth', `env -u NODE_OPTIONS '${ROOT}scripts/plinth'`)],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...client, PLINTH_DATA: data, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
const put = async (path: string, body: Buffer | string): Promise<void> => {
  const answer = await ask('PUT', `/api/packages/${path}`, { body })
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.body}`)
}
const jsonOf = ({ body }: Answer): Json => JSON.parse(body) as Json

/** Puts names in the place of what the manual has in braces. */
const filled = (text: string): string =>
  text
    .replaceAll('{owner}', 'team')
    .replaceAll('{!module}', 'example.com/!up')
    .replaceAll('{!version}', 'v1.2.0')
    .replaceAll('{name}', 'tool')
    .replaceAll('{version}', '1.0.0')
    .replaceAll('{file}', 'a.txt')
    .replaceAll('{any name}', 'dropped file')

async function furnish(): Promise<void> {
  cli('owner', 'add', 'team')
  cli('owner', 'add', 'secret', '--private')
  for (const [module, version] of [
    ['example.com/Up', 'v1.2.0'],
    ['example.com/m', 'v1.0.0'],
    ['example.com/yaml', 'v1.0.0'],
  ] as const)
    await put('team/go/upload', await simpleModule(module, version))
  await put('admin/go/upload', await simpleModule('example.com/m', 'v1.0.0'))
  await put('team/generic/tool/1.0.0/a.txt', 'a')
  await put('team/generic/tool/1.1.0-rc.1/b.txt', 'b')
  await put('secret/generic/tool/1.0.0/a.txt', 'secret')
}

/** The answers of `/-/commands/`: each JSON that the manual shows is sent to the address that it names before. */
async function scriptedCommands(t: Test): Promise<void> {
  cli('owner', 'add', 'team')
  const [, text = ''] = /^A script may ask as the commands do:([^]*?)\n\n/m.exec(MANUAL) ?? []
  let path = ''
  let sent = 0
  for (const [, code = ''] of text.replaceAll('\n', ' ').matchAll(/`([^`]+)`/g)) {
    if (code.startsWith('POST ')) path = code.slice('POST '.length)
    if (!code.startsWith('{')) continue
    if (code.includes('"name":"team","public"')) cli('owner', 'remove', 'team')
    const answer = await ask('POST', path, { body: code, headers: { 'content-type': 'application/json' } })
    t.equal(answer.status, 200, `${path} ${code}: ${answer.body}`)
    const json = jsonOf(answer)
    if (path.endsWith('removal')) t.same(json, { done: true })
    else t.type(json[path.endsWith('account') ? 'accounts' : 'owners'], Array)
    if (/"add","name":"ci"|rotate/.test(code)) t.type(json['token'], 'string')
    sent++
  }
  t.equal(sent, 5)
  const wrongType = await ask('POST', '/-/commands/account', { body: '{"action":"list"}' })
  t.equal(wrongType.status, 415, 'the type must be JSON')
}

t.test('the manual', needs('nginx', 'openssl', 'curl', 'script', 'pgrep'), async (t) => {
  let run = start(env)
  t.teardown(async () => {
    run.kill('SIGTERM')
    await run.ended
  })
  await run.until(/plinth: serving/)
  await t.test('requests that scripts send', scriptedCommands)
  cli('account', 'remove', 'ci')
  await furnish()
  await until(() => readdirSync(join(data, 'state/due')).length === 0)

  await t.test('the data folder', async (t) => {
    t.same(missingIn(block(MANUAL, 'The data folder', 0, '')), [])
    const named = [...block(MANUAL, 'The data folder', 0, '').matchAll(/^ {2}(\w+)\/ /gm)].map(
      ([, name]) => name,
    )
    t.same(readdirSync(data).sort(), named.sort(), 'and there is nothing else')
  })
  await t.test('views', viewsAreThere)
  await t.test("Gitea's API, row by row", apiAnswers)
  await t.test("the lines of Gitea's API", async (t) => {
    const listed = shell(block(MANUAL, "Gitea's API"))
    t.match(JSON.parse(listed), [{ name: 'example.com/m', version: 'v1.0.0', type: 'go' }])
    t.equal((await get('/api/packages/admin/go/example.com/m/@v/v1.0.0.zip')).status, 404, 'it is deleted')
  })
  await t.test('the lines of commands from elsewhere', commandsFromElsewhere)
  await t.test('the drop folder', dropFolder)
  await t.test('verify and rebuild', async (t) => {
    t.match(shell(block(MANUAL, 'Verify and rebuild')), /: 0 faults\n(.|\n)*0 left/)
    t.equal(shell(block(MANUAL, 'Sizes')).match(/: 0 faults\n/g)?.length, 3)
  })
  await t.test('the logs', logsSay)
  await t.test('sentences of several sections', (t) => sentences(t, run.pid))
  await t.test('a certificate that is renewed', async (t) => {
    const before = await fingerprint()
    const nginx = await childOf(run.pid, 'nginx: master')
    const workers = childrenOf(nginx, 'nginx: worker') // they have the old one, and are told to end a little later
    const other = makeCertificate()
    for (const name of ['PLINTH_TLS_CERT', 'PLINTH_TLS_KEY'])
      copyFileSync(other.env[name] ?? '', certificate.env[name] ?? '')
    const [settings = {}] = settingsOfStarts(block(MANUAL, 'TLS', 0, '').replaceAll('/srv/plinth', data))
    await until(async () => (await fingerprint()) !== before)
    await until(() => !workers.some(isAlive))
    certificate.ca = other.ca
    const { tls, listen } = readConfig(settings)
    t.match(tls, { cert: /fullchain\.pem$/, key: /privkey\.pem$/ })
    t.match(listen, [{ port: 443 }])
    t.equal((await get('/-/health')).status, 200)
  })
  await t.test('an upgrade in the clone', async (t) => {
    const service = await childOf(run.pid, 'main.js')
    const tools = 'git() { echo "git $*"; }\nnpm() { echo "npm $*"; }\n'
    t.equal(shell(tools + block(MANUAL, 'Upgrade', 0, '')), 'git pull\nnpm ci\nnpm run build\n')
    await until(() => !isAlive(service))
    t.not(await childOf(run.pid, 'main.js'), service)
    await until(async () => (await get('/-/ready')).status === 200)
  })
  await t.test('when something dies', async (t) => {
    run = await everythingDies(t, run)
  })
  await t.test('it ends when its terminal goes', async (t) => {
    t.match(MANUAL, '(SIGTERM, SIGINT, and SIGHUP unless systemd has started it)')
    run.kill('SIGHUP')
    t.same(await run.ended, { code: 0, signal: null })
    t.notOk(existsSync(join(data, 'state/start.pid')), 'state/start.pid is removed at its end')
  })
})

/** Sentences that no block and no table has, and no test of their subject. */
async function sentences(t: Test, pid: number): Promise<void> {
  const modeOf = (path: string): string => (statSync(join(data, path)).mode & 0o777).toString(8)
  t.match(MANUAL, /The inbox belongs to the service's user \(mode\s+755\)/)
  t.equal(modeOf('inbox'), '755')
  t.match(MANUAL, 'The file has the mode 640')
  t.equal(modeOf('state/audit.log'), '640')
  t.match(MANUAL, '`state/format` is the number')
  t.match(readFileSync(join(data, 'state/format'), 'utf8'), /^\d+\n$/)
  t.equal(readFileSync(join(data, 'state/start.pid'), 'utf8').trim(), String(pid))

  t.match(MANUAL, 'A token in the query string is never taken')
  const secret = '/api/packages/secret/generic/tool/1.0.0/a.txt'
  for (const name of ['token', 'access_token']) t.equal((await get(`${secret}?${name}=${TOKEN}`)).status, 401)
  const [, spellings = ''] = /Credentials are taken in any spelling that([^]*?)\. When/.exec(MANUAL) ?? []
  const auths = namesIn(
    spellings.replaceAll(/\s+/g, ' ').replaceAll('TOKEN', TOKEN).replaceAll('ci:', 'admin:'),
  )
  t.equal(auths.length, 7)
  for (const spelled of auths) {
    const [, header] = /^Authorization: (.*)$/.exec(spelled) ?? []
    const auth = header ?? `Basic ${Buffer.from(spelled).toString('base64')}`
    t.equal((await get(secret, auth)).body, 'secret', spelled.replace(TOKEN, 'TOKEN'))
    t.equal((await get('/api/v1/user', auth)).status, 200, 'the same for the API')
  }

  t.match(MANUAL, 'Branches and commits are 404')
  for (const name of ['master', 'v1.2.0+incompatible', '0123456789ab'])
    t.equal((await get(`/api/packages/team/go/example.com/!up/@v/${name}.info`)).status, 404, name)
  t.match(MANUAL, 'With them nginx speaks https with HTTP/2')
  t.equal(await protocolOf(['h2', 'http/1.1']), 'h2')
  t.match(await askPlainly(), /^HTTP\/1\.1 400 /, 'and no plain http there')

  t.match(MANUAL, '- **Pages**: `/` has the public owners')
  const [, pages = ''] = /- \*\*Pages\*\*: ([^]*?)\. A path with/.exec(MANUAL) ?? []
  const paths = namesIn(pages.replaceAll(/\s+/g, ' '))
  t.same(paths.map(filled), [
    '/',
    '/team/',
    '/team/go/example.com/!up',
    '…@v1.2.0',
    '/team/generic/tool',
    '…/1.0.0',
  ])
  let before = ''
  for (const path of paths.map(filled)) {
    before = path.replace('…', before)
    t.match(await get(before), { status: 200, headers: { 'content-type': /^text\/html/ } }, before)
  }
  t.match(await get('/team/go/example.com/Up'), {
    status: /^30[1278]$/,
    headers: { location: /example\.com\/!up$/ },
  })

  t.match(MANUAL, '`creator` is the owner')
  const one = async (): Promise<Json> => jsonOf(await get('/api/v1/packages/team/go/example.com%2FUp/v1.2.0'))
  t.match(await one(), {
    creator: { login: 'team' },
    created_at: /:\d\dZ$/,
    id: (await one())['id'],
    repository: null,
  })

  t.match(MANUAL, /Not in it: reads; `rebuild`; writes without credentials; wrong credentials of reads/)
  const audit = (): string => readFileSync(join(data, 'state/audit.log'), 'utf8')
  const was = audit()
  await get(secret, AUTH)
  await get(secret, `Basic ${Buffer.from('x:wrong').toString('base64')}`)
  t.equal(
    (await ask('PUT', '/api/packages/team/generic/tool/1.0.0/none', { body: 'x', auth: false })).status,
    401,
  )
  cli('rebuild')
  t.equal(audit(), was)
  t.type(JSON.parse(cli('verify', '--json')), Object, '`--json` prints one object')
}

/** The protocol that the server chooses of these. */
const protocolOf = (protocols: string[]): Promise<string | false | null> =>
  new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: protocols },
      () => {
        resolve(socket.alpnProtocol)
        socket.destroy()
      },
    )
    socket.on('error', reject)
  })

const askPlainly = (): Promise<string> => askRaw(port, 'GET / HTTP/1.1', 'Host: x', 'Connection: close')

const fingerprint = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })

/** The paths of a picture of the data folder that are not there. */
function missingIn(picture: string): string[] {
  const missing: string[] = []
  const above: string[] = []
  for (const line of linesOf(picture)) {
    const [, indent = '', text = ''] = /^( *)(.*?)(?: {2,}.*)?$/.exec(line) ?? []
    const sums = /^(\w+)\/:/.exec(line.trim())?.[1]
    if (sums !== undefined) above.length = 2
    else if (indent.length > 20) continue
    else above.length = indent.length / 2
    const [first = '', ...others] = filled(sums ?? text).split(' · ')
    above.push(first.replace(/\/$/, ''))
    const folderOf = dirname(join(...above.slice(1), '.'))
    const paths = [join('.', ...above.slice(1)), ...others.map((name) => join(folderOf, name))].flatMap(
      (path) => {
        const [, before = '', names = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? []
        return names === '' ? [path] : names.split(',').map((name) => before + name + after)
      },
    )
    missing.push(...paths.filter((path) => !existsSync(join(data, path))))
  }
  return missing
}

async function viewsAreThere(t: Test): Promise<void> {
  const view = async (path: string): Promise<string> => {
    const answer = await get(`/api/packages/team/-/${path}`)
    t.equal(answer.status, 200, path)
    return answer.body
  }
  const json = async (path: string): Promise<Json> => {
    const value = JSON.parse(await view(path)) as Json
    t.equal(value['format'], 1, `${path}: its format`)
    return value
  }
  const keys = (path: string) => async (): Promise<void> => {
    const value = await json(filled(path))
    t.match(value, KEYS_OF_VIEWS[path] ?? {}, path)
  }
  const checks: Record<string, () => Promise<void>> = {
    'index.json': keys('index.json'),
    'go/{!module}/@/index.json': keys('go/{!module}/@/index.json'),
    'go/{!module}/@/{!version}.json': keys('go/{!module}/@/{!version}.json'),
    'generic/{name}/@/index.json': keys('generic/{name}/@/index.json'),
    'generic/{name}/{version}/version.json': keys('generic/{name}/{version}/version.json'),
    'generic/{name}/{version}/SHA256SUMS': async () => {
      t.match(await view('generic/tool/1.0.0/SHA256SUMS'), /^[0-9a-f]{64} [ *]a\.txt\n$/)
    },
    'latest/{name}/{file}': async () => {
      t.equal(await view('latest/tool/a.txt'), 'a')
    },
    'index.ndjson': async () => {
      await ask('PUT', '/api/packages/team/go/upload', {
        body: await simpleModule('example.com/gone', 'v1.0.0'),
      })
      await ask('DELETE', '/api/packages/team/go/example.com/gone/@v/v1.0.0')
      await until(async () => (await view('index.ndjson')).includes('"Deleted":true'))
      const lines = linesOf(await view('index.ndjson')).map((line) => JSON.parse(line) as Json)
      t.match(lines[0], { Path: 'example.com/Up', Version: 'v1.2.0', Timestamp: /^20/ })
      t.match(lines.at(-1), { Path: 'example.com/gone', Deleted: true })
    },
    'feed.atom': async () => {
      t.match(await view('feed.atom'), /<feed [^]*<entry>[^]*tool[^]*<\/feed>/)
    },
  }
  const rows = table(MANUAL, 'Views').map(([path = '', ...others]) => [path.replaceAll('`', ''), ...others])
  await eachRow(t, rows, checks)
}

const SHA256 = /^[0-9a-f]{64}$/
const KEYS_OF_VIEWS: Record<string, object> = {
  'index.json': {
    packages: [{ kind: String, name: String, versions: Number, latest: String, updated: /^20/ }],
  },
  'go/{!module}/@/index.json': {
    module: 'example.com/Up',
    latest: 'v1.2.0',
    versions: [{ version: 'v1.2.0', time: /^20/, size: Number, sha256: SHA256, h1: /^h1:/ }],
  },
  'go/{!module}/@/{!version}.json': { module: 'example.com/Up', version: 'v1.2.0' },
  'generic/{name}/@/index.json': {
    name: 'tool',
    latest: '1.0.0',
    versions: [{ version: String, time: /^20/, size: Number, files: Number }],
  },
  'generic/{name}/{version}/version.json': {
    version: '1.0.0',
    files: [{ file: 'a.txt', size: 1, sha256: SHA256, time: /^20/ }],
  },
}

async function apiAnswers(t: Test): Promise<void> {
  const api = async (path: string, status = 200, auth: string | false = AUTH): Promise<Answer> => {
    const answer = await ask('GET', `/api/v1${path}`, { auth })
    t.equal(answer.status, status, `${path}: ${answer.body.slice(0, 200)}`)
    return answer
  }
  const module = '/packages/team/go/example.com%2FUp'
  const list = async (path: string): Promise<Json[]> => JSON.parse((await api(path)).body) as Json[]
  await eachRow(t, table(MANUAL, "Gitea's API"), {
    '`GET /version`': async (says) => {
      t.match(says, `\`${String(jsonOf(await api('/version'))['version'])}\``)
    },
    '`GET /packages/{owner}?type=&q=&page=&limit=`': async (says) => {
      const first = await api('/packages/team?limit=2')
      t.match(first.headers, { 'x-total-count': '5', link: /rel="next"/ })
      const times = (JSON.parse(first.body) as Json[]).map((one) => String(one['created_at']))
      t.same(times, times.toSorted().toReversed(), 'the newest first')
      t.equal((await list('/packages/team?type=generic')).length, 2)
      t.match(await list('/packages/team?q=yam'), [{ name: 'example.com/yaml' }])
      t.equal((await list('/packages/team?page=3&limit=2')).length, 1)
      t.match(says, '`limit` is 30, at most 50')
      for (let nth = 0; nth < 51; nth++) await put(`admin/generic/many/${nth}/x`, 'x')
      t.equal((await list('/packages/admin?type=generic')).length, 30)
      t.equal((await list('/packages/admin?type=generic&limit=100')).length, 50)
    },
    '`GET /packages/{owner}/{type}/{name}`': async () => {
      t.match(await list(module), [{ name: 'example.com/Up', version: 'v1.2.0' }])
      t.same(await list('/packages/team/go/example.com%2Fnone'), [])
    },
    '`GET /packages/{owner}/{type}/{name}/-/latest`': async () => {
      t.match(jsonOf(await api(`${module}/-/latest`)), { version: 'v1.2.0' })
      t.match(jsonOf(await api('/packages/team/generic/tool/-/latest')), { version: '1.0.0' })
    },
    '`GET /packages/{owner}/{type}/{name}/{version}`': async () => {
      t.match(jsonOf(await api(`${module}/v1.2.0`)), { name: 'example.com/Up', version: 'v1.2.0' })
    },
    '`GET …/{version}/files`': async () => {
      const [zip, ...none] = await list(`${module}/v1.2.0/files`)
      t.same(none, [], 'of a module, its zip')
      t.match(zip, { name: /\.zip$/, md5: /^\w{32}$/, sha1: /^\w{40}$/, sha256: SHA256, sha512: /^\w{128}$/ })
      t.type((zip as Json)['Size'] ?? (zip as Json)['size'], 'number')
    },
    '`DELETE …/{version}`, `DELETE …/{name}`': async () => {
      const remove = async (path: string) =>
        (await ask('DELETE', `/api/v1/packages/admin/generic/${path}`)).status
      t.equal(await remove('many/1'), 204)
      t.equal(await remove('many'), 204)
      t.same(await list('/packages/admin/generic/many'), [])
    },
    '`GET /user`, `/users/{owner}`, `/orgs/{owner}`': async () => {
      t.match(jsonOf(await api('/user')), { login: 'admin' })
      t.match(jsonOf(await api('/users/team')), { login: 'team' })
      t.match(jsonOf(await api('/orgs/team')), { name: 'team' })
      await api('/users/secret', 401, false)
    },
    '`GET /orgs?page=&limit=`': async () => {
      const named = (await list('/orgs')).map((one) => one['name'])
      t.same(named.sort(), ['admin', 'secret', 'team'])
      const anybody = JSON.parse((await api('/orgs', 200, false)).body) as Json[]
      t.notMatch(JSON.stringify(anybody), 'secret')
      t.equal((await list('/orgs?page=2&limit=2')).length, 1)
    },
  })
}

async function commandsFromElsewhere(t: Test): Promise<void> {
  const home = tempFolder()
  const boss = cli('account', 'add', 'boss', '--admin').trimEnd().split('\n').at(-1) ?? ''
  const settings: Record<string, string> = { HOME: home, SSL_CERT_FILE: certificate.path }
  const said: string[] = []
  for (const line of linesOf(block(MANUAL, 'Commands from elsewhere'))) {
    const [command = ''] = line.split(/ +# /)
    if (command.startsWith('export ')) {
      t.equal(command, 'export PLINTH_URL=https://plinth.example.com')
      settings['PLINTH_URL'] = URL_HERE
      continue
    }
    const [, name = '', ...words] = command.trim().split(' ')
    const asks: Record<string, { question: string; answer: string }> = {
      login: { question: 'Token for', answer: boss },
      rm: { question: '[y/N]', answer: 'y' },
    }
    const ran = asks[name]
      ? await onTerminal(settings, [name, ...words], asks[name])
      : runCli(settings, [name, ...words])
    const output = 'output' in ran ? ran.output : ran.stdout + ran.stderr
    t.equal(ran.code, 0, `${command}: ${output}`)
    said.push(`${name}: ${output}`)
  }
  const all = said.join('\n')
  t.match(all, /login: [^]*logged in at .* as boss/)
  t.match(all, /whoami: boss/)
  t.match(all, /ls: [^]*team/)
  t.match(all, /show: [^]*h1:/)
  t.match(all, /search: [^]*example\.com\/yaml/)
  t.match(all, /account: [^]*plinth_/)
  t.match(all, /account: [^]*plinth_[^]*account: [^]*plinth_/, 'a new token for oneself')
  t.match(runCli(settings, ['whoami']), { code: 0 }, 'which ~/.netrc has')
  t.match(runCli(settings, ['show', 'team/example.com/m@v1.0.0']), { code: 1 }, 'and the version is gone')
}

async function dropFolder(t: Test): Promise<void> {
  const drop = async (path: string, content: Buffer | string): Promise<void> => {
    const to = join(data, path)
    const elsewhere = join(data, 'inbox/.being-written')
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(elsewhere, content)
    renameSync(elsewhere, to)
    await until(() => !existsSync(to))
  }
  const rows = linesOf(block(MANUAL, 'Drop folder', 0, '')).map((line) => line.split(/ {3,}/))
  await eachRow(t, rows, {
    'inbox/{owner}/go/{any name}.zip': async () => {
      await drop(
        filled('inbox/{owner}/go/{any name}.zip'),
        await simpleModule('example.com/dropped', 'v1.0.0'),
      )
      t.equal((await get('/api/packages/team/go/example.com/dropped/@v/v1.0.0.zip')).status, 200)
    },
    'inbox/{owner}/generic/{name}/{version}/{file}': async () => {
      await drop(filled('inbox/{owner}/generic/{name}/{version}/dropped.txt'), 'dropped')
      t.equal((await get('/api/packages/team/generic/tool/1.0.0/dropped.txt')).body, 'dropped')
    },
    'inbox/rejected/…': async () => {
      await drop('inbox/team/go/torn.zip', 'no zip')
      const rejected = readdirSync(join(data, 'inbox/rejected'), { recursive: true, encoding: 'utf8' })
      t.ok(rejected.some((path) => path.endsWith('torn.zip')))
      const reasons = rejected.find((path) => path.endsWith('.txt')) ?? ''
      t.match(readFileSync(join(data, 'inbox/rejected', reasons), 'utf8'), /was not published/)
    },
  })
}

/** What the names in backticks of a cell are. */
const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

async function logsSay(t: Test): Promise<void> {
  const linesIn = (path: string): Json[] =>
    linesOf(readFileSync(join(data, path), 'utf8')).map((line) => JSON.parse(line) as Json)
  const reader = cli('account', 'add', 'alice', '--read', 'secret').trimEnd().split('\n').at(-1) ?? ''
  const alice = `Basic ${Buffer.from(`alice:${reader}`).toString('base64')}`
  const wrong = `Basic ${Buffer.from('alice:wrong').toString('base64')}`
  const secret = '/api/packages/secret/generic/tool/1.0.0/a.txt'
  const long = `${secret}-${'x'.repeat(400)}`
  const agent = 'y'.repeat(200)
  t.equal(
    (await ask('GET', `${secret}?query`, { auth: alice, headers: { 'user-agent': agent } })).status,
    200,
  )
  const refused = await get(secret, wrong)
  t.equal(refused.status, 401)
  t.equal(
    (await ask('PUT', '/api/packages/team/generic/tool/1.0.0/w', { body: 'w', auth: wrong })).status,
    401,
  )
  const last = await get(long, alice)
  const published = await ask('PUT', '/api/packages/team/generic/tool/1.0.0/w', { body: 'w' })
  t.equal(published.status, 201)
  t.equal((await ask('DELETE', '/api/packages/team/generic/tool/1.0.0/w')).status, 204)
  await until(() =>
    readFileSync(join(data, 'state/nginx/access.log'), 'utf8').includes(String(last.headers['x-request-id'])),
  )

  const access = linesIn('state/nginx/access.log')
  const lineOf = (part: Json): Json =>
    access.find((line) => Object.entries(part).every(([k, v]) => line[k] === v)) ?? {}
  const mine = lineOf({ path: secret, account: 'alice' })
  const fields = table(MANUAL, 'Access log').flatMap(([names]) => namesIn(names))
  t.same(
    fields.sort(),
    Object.keys(mine)
      .filter((name) => !['level', 'event'].includes(name))
      .sort(),
  )
  const written = { method: 'GET', status: 200, account: 'alice', address: '127.0.0.1', bytes: 6 }
  t.match(mine, { ...written, agent: /^y{128}…$/, time: /^20/, id: /^[0-9a-f]{32}$/, seconds: Number })
  t.equal(String(lineOf({ id: last.headers['x-request-id'] })['path']).length, 256 + 1, 'a path is cut')

  const audit = linesIn('state/audit.log')
  const rows = Object.fromEntries(table(MANUAL, 'Audit log').map(([name = '', says = '']) => [name, says]))
  const known = Object.keys(rows).flatMap(namesIn)
  const more = Object.values(rows).flatMap(namesIn)
  const seen = new Set(audit.flatMap((line) => Object.keys(line)))
  for (const name of ['level', 'event']) seen.delete(name)
  for (const name of seen)
    t.ok(known.includes(name) || more.includes(name), `the audit log has the field ${name}`)
  for (const name of known) t.ok(seen.has(name), `and a line with ${name}`)
  for (const field of ['kind', 'action', 'result'] as const) {
    const values = new Set(audit.map((line) => line[field]).filter((value) => value !== undefined))
    const named = namesIn(rows[Object.keys(rows).find((name) => namesIn(name).includes(field)) ?? ''])
    for (const value of values) t.ok(named.includes(String(value)), `${field} ${String(value)} is named`)
  }
  const by = new Set(audit.map((line) => String(line['by'] ?? '')).filter((text) => text !== ''))
  t.same([...by].sort(), ['drop folder', 'first run', `local user ${process.getuid?.() ?? ''}`].sort())

  await eachRow(t, table(MANUAL, 'Logs'), {
    'of the service': (where) => {
      t.equal(where, 'standard output')
    },
    'of refused reads': (where = '') => {
      t.match(linesIn(namesIn(where)[0] ?? ''), [
        { event: 'refused', path: secret, id: refused.headers['x-request-id'] },
      ])
    },
    'of all requests': (where) => {
      t.match(where, '(#access-log) says')
    },
    'of changes': (where) => {
      t.match(where, '(#audit-log) says')
      t.match(audit.at(-1), { kind: 'delete', what: 'tool@1.0.0/w' })
    },
  })
}

async function everythingDies(t: Test, first: Start): Promise<Start> {
  const file = '/api/packages/team/generic/tool/1.0.0/a.txt'
  const reads = async (): Promise<number> => (await get(file).catch(() => undefined))?.status ?? 0
  let nth = 0
  const write = async (): Promise<number> =>
    (await ask('PUT', `/api/packages/team/generic/dies/1/${nth++}`, { body: 'x' }).catch(() => undefined))
      ?.status ?? 0
  let run = first
  const kill = (pid: number): void => void process.kill(pid, 'SIGKILL')
  await eachRow(t, table(MANUAL, 'When something dies'), {
    'the service, for any reason': async (clients) => {
      t.equal(clients, 'reads go on; writes get 503 with `Retry-After`')
      kill(await childOf(run.pid, 'main.js'))
      await run.until(/the service was ended by SIGKILL/)
      t.equal(await write(), 503)
      t.equal(await reads(), 200)
      await until(async () => (await write()) === 201)
    },
    nginx: async () => {
      kill(await childOf(run.pid, 'nginx: master'))
      await run.until(/nginx was ended by SIGKILL[^]*nginx runs again/)
      t.equal(await reads(), 200)
      t.equal(await write(), 201)
    },
    '`npm start` itself, by SIGKILL': async () => {
      const service = await childOf(run.pid, 'main.js')
      run.kill('SIGKILL')
      await run.exited
      t.equal(await reads(), 200, 'reads go on')
      await until(() => !existsSync(`/proc/${service}`) && !isAlive(service))
      t.equal(await reads(), 200)
      run = start(env)
      await run.until(/ending nginx \(pid \d+\), which an earlier run left[^]*plinth: serving/)
      t.equal(await write(), 201)
    },
    'the machine': async () => {
      const nginx = await childOf(run.pid, 'nginx: master')
      const pids = [run.pid, await childOf(run.pid, 'main.js'), nginx, ...childrenOf(nginx, 'nginx')]
      pids.forEach(kill)
      await run.exited
      run = start(env)
      await run.until(/plinth: serving/)
      t.equal(await reads(), 200)
      t.equal(await write(), 201)
    },
  })
  return run
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

t.test('the lines for a firewall', needs('nft', 'unshare'), async (t) => {
  const lines = `${block(MANUAL, 'Connections', 0, '')}nft list ruleset\n`
  try {
    execFileSync('unshare', ['-rn', 'nft', 'list', 'ruleset'], { stdio: 'ignore' })
  } catch {
    t.pass('no network', { skip: 'NOT TESTED: this machine lets nobody have a network of its own' })
    return
  }
  const rules = execFileSync('unshare', ['-rn', 'sh', '-euc', lines], { encoding: 'utf8' })
  t.match(rules, /tcp dport 443 ct state new add @peers \{ ip saddr ct count over 1000 \} reject/)
})
