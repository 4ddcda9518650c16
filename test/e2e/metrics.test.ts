// Metrics of a real Plinth: what is told, to whom, and that alerts fire on what has really happened.

import { execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isOver, running, watch } from '../support/child.js'
import { block, MANUAL, read, table } from '../support/documents.js'
import { ask, TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { ALERTS, firingOn, promtool } from '../support/promtool.js'
import { newData, runService } from '../support/service.js'
import { childOf, start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

const DASHBOARD = 'scripts/deploy/grafana/plinth.json'

const scrapeOf = async (port: number): Promise<string> =>
  (await ask(port, 'GET', '/metrics', { auth: false })).body

/** The value of a series of a scrape, as it is written there; -1, which none of ours has, when it is absent. */
const valueOf = (scrape: string, series: string): number => {
  const line = scrape.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? -1 : Number(line.slice(series.length))
}

/** name{label,label} of every metric in a scrape, the labels in the order of their names. */
function metricsIn(scrape: string): string[] {
  const labels = new Map<string, Set<string>>()
  for (const [, name = ''] of scrape.matchAll(/^# TYPE (\w+) /gm)) labels.set(name, new Set())
  for (const [, series = '', text = ''] of scrape.matchAll(/^(\w+)\{(.*)\} /gm)) {
    const name = labels.has(series) ? series : series.replace(/_(?:bucket|sum|count)$/, '')
    for (const [, label = ''] of text.matchAll(/(\w+)="/g)) if (label !== 'le') labels.get(name)?.add(label)
  }
  return [...labels]
    .map(([name, set]) => (set.size === 0 ? name : `${name}{${[...set].sort().join()}}`))
    .sort()
}

/** The same of the first column of the table in the manual. */
const metricsInManual = (): string[] =>
  table(MANUAL, 'Metrics', 1)
    .flatMap(([cell = '']) => [...cell.matchAll(/`(\w+)(?:\{([\w,]+)\})?`/g)])
    .map(([, name = '', labels]) => (labels ? `${name}{${labels.split(',').sort().join()}}` : name))
    .sort()

/** Labels whose values are a fixed few, which the manual names. */
const NAMED_LABELS = ['kind', 'result', 'purpose', 'class', 'level', 'queue', 'lane', 'of', 'state']

/** What the manual does not say of the values of these labels in a scrape, and what it says and no scrape has. */
function valuesUnlikeManual(scrape: string): string[] {
  const rows = table(MANUAL, 'Metrics', 1).map(([names = '', says = '']) => ({ names, says }))
  const uploads = rows.find(({ names }) => names.includes('plinth_uploads_total'))?.says ?? ''
  return rows.flatMap(({ names, says }) => {
    const metrics = [...names.matchAll(/`(plinth_\w+)/g)].map(([, name = '']) => name)
    const labels = [...names.matchAll(/\{([\w,]+)\}/g)].flatMap(([, list = '']) => list.split(','))
    const there = new Set<string>()
    for (const [, series = '', text = ''] of scrape.matchAll(/^(\w+)\{(.*)\} /gm))
      if (metrics.some((name) => series.replace(/_(?:bucket|sum|count)$/, '') === name))
        for (const [, label = '', value = ''] of text.matchAll(/(\w+)="([^"]*)"/g))
          if (NAMED_LABELS.includes(label)) there.add(value)
    if (there.size === 0) return []
    const from = says.includes('of the same results') ? uploads + says : says
    const named = new Set([...from.matchAll(/`([\w-]+)`/g)].map(([, word = '']) => word))
    for (const label of labels) named.delete(label)
    for (const setting of named) if (setting.startsWith('PLINTH_')) named.delete(setting)
    // `2xx` to `5xx`; the kinds are those of uploads; a delete has not all results of an upload
    const unnamed = [...there].filter(
      (value) => !named.has(value) && !['3xx', '4xx', 'go', 'generic'].includes(value),
    )
    const unknown = [...named].filter((word) => !there.has(word) && from === says)
    return [...unnamed, ...unknown].map((value) => `${metrics[0]}: ${value}`)
  })
}

/** The names that a text uses of metrics, those of a histogram without what follows its name. */
const namesUsedIn = (text: string): string[] =>
  [...new Set([...text.matchAll(/\b(?:plinth|process|nodejs)_\w+/g)].map(([name]) => name))].map((name) =>
    name.replace(/_bucket$/, ''),
  )

t.test('metrics of a Plinth that works', needs('nginx', 'promtool', 'curl', 'openssl'), async (t) => {
  const port = await freePort()
  const plinth = await startPlinth({ PLINTH_METRICS: `127.0.0.1:${port}` })
  t.teardown(plinth.stop)
  /** A scrape with all figures: those of a look that took over a second or two are absent, on a busy machine. */
  const scrape = async (): Promise<string> => {
    for (;;) {
      const text = await scrapeOf(port)
      if (!/^plinth_source_up\{.*\} 0$/m.test(text) && valueOf(text, 'plinth_nginx_up') === 1) return text
    }
  }
  const begun = await scrape()

  await t.test('they are told nowhere else', async (t) => {
    const paths: [path: string, status: number][] = [
      ['/metrics', 301], // as every name that an owner could have
      ['/metrics/', 401],
      ['/status', 301],
      ['/-/metrics', 404],
      ['/api/packages/admin/metrics', 404],
    ]
    for (const [path, expected] of paths) {
      const { status, body } = await plinth.get(path)
      t.equal(status, expected, path)
      t.notMatch(body, /plinth_|Active connections/)
    }
    t.equal((await ask(port, 'GET', '/metrics', { headers: { host: 'evil.example' } })).status, 403)
    t.equal((await ask(port, 'PUT', '/api/packages/admin/generic/a/1/x', { body: 'x' })).status, 404)
  })

  await t.test('uploads and deletes, by kind and result, and no word of a client', async (t) => {
    const zip = await simpleModule('example.com/secret-module', 'v1.0.0')
    const file = '/api/packages/team/generic/secret-tool/1.0/x'
    const asked: [
      method: string,
      path: string,
      asking: { body?: Buffer | string; auth?: string },
      status: number,
    ][] = [
      ['PUT', '/api/packages/team/go/upload', { body: zip }, 201],
      ['PUT', '/api/packages/team/go/upload', { body: zip }, 409],
      ['PUT', '/api/packages/team/go/upload', { body: 'no zip' }, 400],
      ['PUT', file, { body: 'content' }, 201],
      ['PUT', file, { body: 'content', auth: 'Bearer wrong' }, 401],
      ['PUT', '/api/packages/secret-owner/generic/a/1/x', { body: 'x' }, 404],
      ['DELETE', file, {}, 204],
      ['DELETE', file, {}, 404],
      ['DELETE', '/api/v1/packages/team/go/example.com%2Fsecret-module/v1.0.0', {}, 204],
    ]
    for (const [method, path, asking, status] of asked)
      t.equal((await plinth.ask(method, path, asking)).status, status, `${method} ${path}`)
    t.equal((await plinth.ask('GET', '/api/packages/secret/go/x', { auth: 'Basic eDp5' })).status, 401)
    const after = await scrape()
    const counted: [series: string, count: number][] = [
      ['plinth_uploads_total{kind="go",result="published"}', 1],
      ['plinth_uploads_total{kind="go",result="conflict"}', 1],
      ['plinth_uploads_total{kind="go",result="refused"}', 1],
      ['plinth_uploads_total{kind="generic",result="published"}', 1],
      ['plinth_uploads_total{kind="generic",result="unauthorized"}', 1],
      ['plinth_uploads_total{kind="generic",result="not_found"}', 1],
      ['plinth_deletes_total{kind="generic",result="deleted"}', 1],
      ['plinth_deletes_total{kind="generic",result="not_found"}', 1],
      ['plinth_deletes_total{kind="go",result="deleted"}', 1],
      ['plinth_upload_bytes_total{kind="generic"}', 'content'.length],
      ['plinth_upload_bytes_total{kind="go"}', 2 * zip.length + 'no zip'.length],
      ['plinth_upload_duration_seconds_count{kind="go"}', 1],
      ['plinth_failed_logins_total', 2], // one of them a read that nginx asked about
      ['plinth_requests_in_progress', 0],
      ['plinth_upload_slots_used', 0],
      ['plinth_upload_slots', 256],
    ]
    for (const [series, count] of counted) t.equal(valueOf(after, series), count, series)
    t.ok(valueOf(after, 'plinth_fsync_duration_seconds_count{of="file"}') > 0)
    t.ok(valueOf(after, 'plinth_fsync_duration_seconds_count{of="folder"}') > 0)
    t.notMatch(
      after,
      /secret|team|admin|127\.0\.0/,
      'no name of an owner, account or package, and no address',
    )
    const lines = (text: string): string[] =>
      text.split('\n').flatMap((line) => (/^plinth_(?!nginx)/.test(line) ? [line.replace(/ \S+$/, '')] : []))
    t.same(lines(after), lines(begun), 'the series are those of the start')
  })

  await t.test('uploads under way', async (t) => {
    const user = ['--user', `admin:${TOKEN}`]
    const slow = spawn('curl', [
      '-sS',
      '-T',
      '-',
      ...user,
      `${plinth.url}/api/packages/team/generic/slow/1/x`,
    ])
    running.add(slow)
    await until(async () => valueOf(await scrape(), 'plinth_upload_slots_used') === 1)
    t.ok(valueOf(await scrape(), 'plinth_requests_in_progress') >= 1)
    slow.stdin.end('x')
    await until(async () => valueOf(await scrape(), 'plinth_upload_slots_used') === 0)
    running.delete(slow)
  })

  await t.test('of nginx, which counts what it serves', async (t) => {
    const before = valueOf(await scrape(), 'plinth_nginx_requests_total')
    for (let time = 0; time < 5; time++) await plinth.get('/')
    const after = await scrape()
    t.equal(valueOf(after, 'plinth_nginx_up'), 1)
    t.ok(valueOf(after, 'plinth_nginx_requests_total') >= before + 5)
    t.ok(valueOf(after, 'plinth_nginx_connections{state="active"}') >= 1)
  })

  await t.test('alerts: none, then accounts that expire', async (t) => {
    await plinth.viewsFollowed()
    const machine = ['PlinthDiskLow', 'PlinthInodesLow', 'PlinthDiskSlow'] // of the machine that runs the test
    const firing = async (): Promise<string[]> =>
      firingOn(await scrape()).filter((alert) => !machine.includes(alert))
    t.same(await firing(), [])
    plinth.cli('account', 'add', 'ci', '--write', 'team', '--expires', '3d')
    plinth.cli('account', 'add', 'later', '--write', 'team', '--expires', '15d')
    await until(async () => valueOf(await scrape(), 'plinth_accounts') === 3)
    t.equal(valueOf(await scrape(), 'plinth_accounts_expiring'), 1)
    t.same(await firing(), ['PlinthTokensExpireSoon'])
    const account = join(plinth.data, 'access/accounts/ci.json')
    const text = readFileSync(account, 'utf8').replace(/"expires":"\d{4}/, '"expires":"2001')
    writeFileSync(`${account}.new`, text)
    renameSync(`${account}.new`, account)
    await until(async () => valueOf(await scrape(), 'plinth_accounts_expired') === 1)
    t.same(await firing(), [])
  })

  await t.test('alerts: a damaged file, when verify has found it', async (t) => {
    t.equal(valueOf(await scrape(), 'plinth_verify_last_findings'), -1, 'nobody has verified yet')
    t.match(plinth.cli('verify'), ' 0 faults')
    t.equal(valueOf(await scrape(), 'plinth_verify_last_findings'), 0)
    const path = '/api/packages/team/generic/tool/1.0/x'
    t.equal((await plinth.ask('PUT', path, { body: 'content' })).status, 201)
    await plinth.viewsFollowed()
    writeFileSync(join(plinth.data, 'tree', path), 'CONTENT')
    const lastRun = async (): Promise<number> =>
      valueOf(await scrape(), 'plinth_verify_last_run_timestamp_seconds')
    const before = await lastRun()
    t.equal(plinth.run('verify', '--owner', 'admin').code, 0)
    t.equal(await lastRun(), before, 'that was not a verify of everything')
    t.equal(plinth.run('verify').code, 1)
    const after = await scrape()
    t.ok(valueOf(after, 'plinth_verify_last_findings') >= 1)
    t.ok(Math.abs(valueOf(after, 'plinth_verify_last_run_timestamp_seconds') - Date.now() / 1000) < 600)
    t.ok(firingOn(after).includes('PlinthVerifyFailed'))
    t.equal((await plinth.ask('DELETE', path)).status, 204)
    t.match(plinth.cli('verify'), ' 0 faults')
    t.notOk(firingOn(await scrape()).includes('PlinthVerifyFailed'))
  })

  await t.test('alerts: views that are behind, until they have followed', async (t) => {
    await plinth.viewsFollowed()
    const log = join(plinth.data, 'tree/api/packages/team/-/index.ndjson')
    renameSync(log, `${log}.kept`)
    mkdirSync(log) // the log of versions cannot be written
    const zip = await simpleModule('example.com/behind', 'v1.0.0')
    t.equal((await plinth.publish(zip, 'team')).status, 201)
    const hourAgo = Date.now() / 1000 - 3600
    utimesSync(join(plinth.data, 'state/due/team'), hourAgo, hourAgo)
    const after = await scrape()
    t.equal(valueOf(after, 'plinth_views_due_owners'), 1)
    t.ok(valueOf(after, 'plinth_views_behind_seconds') >= 3600)
    t.ok(firingOn(after).includes('PlinthViewsBehind'))
    await until(async () => valueOf(await scrape(), 'plinth_log_lines_total{level="error"}') >= 1)
    rmSync(log, { recursive: true })
    renameSync(`${log}.kept`, log)
    await until(async () => valueOf(await scrape(), 'plinth_views_due_owners') === 0)
    t.equal(valueOf(await scrape(), 'plinth_views_behind_seconds'), 0)
  })

  await t.test('the lines of the manual, and its table', async (t) => {
    const shell = (lines: string): string =>
      execFileSync('sh', ['-euc', lines.replaceAll('9464', String(port))], { encoding: 'utf8' })
    const printed = shell(block(MANUAL, 'Metrics'))
    t.match(printed, /^plinth_disk_free_bytes \d+$/m)
    t.notMatch(printed, 'error', 'promtool has nothing to say')
    const now = await scrape()
    t.same(promtool(['check', 'metrics'], now), { code: 0, output: '' })
    if (process.platform === 'linux') t.same(metricsInManual(), metricsIn(now))
    t.same(valuesUnlikeManual(now), [], 'and the values of labels')
  })

  await t.test('dashboard and alerts use what there is', async (t) => {
    const names = new Set(metricsIn(await scrape()).map((metric) => metric.replace(/\{.*/, '')))
    const dashboard = JSON.parse(read(DASHBOARD)) as {
      panels: { id: number; targets?: { expr: string }[] }[]
      templating: { list: { definition?: string }[] }
    }
    const exprs = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    t.ok(exprs.length > 30)
    const ids = dashboard.panels.map(({ id }) => id)
    t.equal(new Set(ids).size, ids.length, 'each panel has an id of its own')
    const definitions = dashboard.templating.list.map(({ definition = '' }) => definition)
    for (const text of [...exprs, ...definitions, read(ALERTS)])
      for (const name of namesUsedIn(text)) t.ok(names.has(name), `${name} in ${text.slice(0, 60)}`)
    // As rules, promtool reads them all. It knows none of Grafana's variables.
    const rules = exprs.map((expr, nth) => ({
      record: `expr:${nth}`,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
    }))
    const file = join(tempFolder(), 'rules.json')
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    const { code, output } = promtool(['check', 'rules', file])
    t.equal(code, 0, output)
  })

  await t.test('through the proxy of the manual, with a password', async (t) => {
    const folder = tempFolder()
    const proxyPort = await freePort()
    const hash = execFileSync('openssl', ['passwd', '-apr1', 'right'], { encoding: 'utf8' })
    writeFileSync(join(folder, 'users'), `prometheus:${hash}`)
    const location = block(MANUAL, 'Metrics', 0, '')
      .replace('/etc/nginx/metrics.users', join(folder, 'users'))
      .replace('9464', String(port))
    const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const conf = [
      process.getuid?.() === 0 ? 'user root;' : '', // the file of users is nobody else's
      `pid ${folder}/pid; events {}`,
      `http { access_log off; ${temps.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}`,
      `server { listen 127.0.0.1:${proxyPort}; ${location} } }`,
    ]
    writeFileSync(join(folder, 'nginx.conf'), conf.join('\n'))
    const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'])
    const { ended, output } = watch(nginx)
    const get = (auth: string | false) =>
      ask(proxyPort, 'GET', '/plinth-metrics', { auth }).catch(() => undefined)
    await until(async () => isOver(nginx) || (await get(false)) !== undefined)
    t.equal((await get(false))?.status, 401, output())
    const answer = await get(`Basic ${Buffer.from('prometheus:right').toString('base64')}`)
    t.match(answer, { status: 200, body: /^plinth_build_info/m })
    nginx.kill('SIGTERM')
    await ended
  })

  await t.test('a restart, and what happens meanwhile', async (t) => {
    const started = valueOf(begun, 'process_start_time_seconds')
    await until(() => Date.now() / 1000 > started + 2)
    await plinth.stopShim('SIGKILL')
    await t.rejects(scrape(), { code: 'ECONNREFUSED' })
    t.equal((await plinth.get('/')).status, 200, 'reads go on')
    await plinth.startShim()
    const after = await scrape()
    t.ok(valueOf(after, 'process_start_time_seconds') > started)
    t.equal(valueOf(after, 'plinth_uploads_total{kind="go",result="published"}'), 0)
    t.equal(valueOf(after, 'plinth_recovery_settled'), 1)
    t.equal(valueOf(after, 'plinth_nginx_up'), 1)
  })
})

t.test(
  'npm start: nginx is killed, and its figures come back; a taken port is refused',
  needs('nginx', 'pgrep'),
  async (t) => {
    const [port, metrics] = [await freePort(), await freePort()]
    const data = join(tempFolder(), 'data')
    const env = {
      PLINTH_DATA: data,
      PLINTH_LISTEN: `127.0.0.1:${port}`,
      PLINTH_ADMIN_TOKEN: TOKEN,
      PLINTH_METRICS: `127.0.0.1:${metrics}`,
    }
    const run = start(env)
    await run.until(/plinth: serving/)
    const nginxIsUp = (): Promise<void> =>
      until(async () => valueOf(await scrapeOf(metrics), 'plinth_nginx_up') === 1)
    await nginxIsUp()
    t.equal(
      statSync(join(data, 'state/control')).mode & 0o777,
      0o700,
      'no other user reaches the socket of nginx',
    )
    process.kill(await childOf(run.pid, 'nginx'), 'SIGKILL')
    await run.until(/plinth: nginx runs again/)
    t.ok(existsSync(join(data, 'state/control/nginx.sock')))
    await nginxIsUp()

    const other = { ...env, PLINTH_DATA: `${data}2`, PLINTH_LISTEN: `127.0.0.1:${await freePort()}` }
    const second = start(other)
    t.same(await second.ended, { code: 1, signal: null })
    t.match(
      second.output(),
      `cannot listen on PLINTH_METRICS=127.0.0.1:${metrics}: another program listens there`,
    )
    run.kill('SIGTERM')
    t.same(await run.ended, { code: 0, signal: null })
  },
)

t.test('a service whose disk is full, beside no nginx, told on a socket', needs('promtool'), async (t) => {
  const data = await newData()
  const socket = join(tempFolder(), 'metrics.sock')
  const service = runService(data, {
    PLINTH_METRICS: `unix:${socket}`,
    PLINTH_MIN_FREE_BYTES: String(Number.MAX_SAFE_INTEGER),
    NODE_DEBUG: 'module',
  })
  t.teardown(() => service.end())
  await service.ready()
  const curl = (): string =>
    execFileSync('curl', ['-fsS', '--unix-socket', socket, 'http://x/metrics'], { encoding: 'utf8' })
  const scrape = curl()
  t.equal(valueOf(scrape, 'plinth_nginx_up'), 0)
  t.notMatch(scrape, /^plinth_nginx_requests_total/m, 'what is not known is absent')
  t.ok(valueOf(scrape, 'plinth_disk_free_bytes') < valueOf(scrape, 'plinth_disk_floor_bytes'))
  const firing = firingOn(scrape)
  for (const alert of ['PlinthDiskFull', 'PlinthDiskLow', 'PlinthNginxDown'])
    t.ok(firing.includes(alert), alert)
  await service.end('SIGTERM')
  t.match(service.log(), 'prom-client')
  t.notOk(existsSync(socket), 'it is closed at the end')
})

t.test('without the setting its library is not even loaded', async (t) => {
  const service = runService(await newData(), { NODE_DEBUG: 'module' })
  t.teardown(() => service.end())
  await service.ready()
  await service.end('SIGTERM') // then all that it has said is read
  t.match(service.log(), /node_modules\/koa\//, 'the log tells what is loaded')
  t.notMatch(service.log(), 'prom-client')
})
