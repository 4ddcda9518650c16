// A bucket that `plinth mirror-to` keeps, with a real S3 server, the real rclone, the shipped bucket.conf and the real
// go. A proxy before the server sees each object come and go: whatever happens meanwhile, the bucket never names a
// version that it has not.

import { spawn } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { watch } from '../support/child.js'
import { plainNode, CLI, runCli } from '../support/cli.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { makeGo } from '../support/go.js'
import { ask, AUTH, type Asking } from '../support/http.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { freePort, isFree } from '../support/port.js'
import { rcloneEnv, s3Program, startBucket, type Bucket, type Seen } from '../support/s3.js'
import { databaseOf, enableDatabase } from '../support/sumdb.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { simpleModule, moduleZip } from '../support/zips.js'

const built = s3Program()
const REMOTE = 'r:packages/api/packages'

/** All files below an owner's folder that belong in a bucket, with their content, as keys. */
function publicFiles(data: string, owner: string): Map<string, Buffer> {
  const folder = join(data, 'access/public', owner, '.')
  const found = new Map<string, Buffer>()
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.html') || name.endsWith('index.ndjson') || statSync(join(folder, name)).isDirectory())
      continue
    found.set(`${owner}/${name}`, readFileSync(join(folder, name)))
  }
  return found
}

t.test('a bucket as a mirror', 'skip' in built ? built : {}, async (t) => {
  if ('skip' in built) return
  const bucket = await startBucket(built.program)
  t.teardown(() => bucket.stop())
  const plinth = await startPlinth({ ...rcloneEnv(bucket) })
  t.teardown(() => plinth.stop())
  const { data } = plinth
  const settings: Record<string, string> = { PLINTH_DATA: data, ...rcloneEnv(bucket) }

  /** What the bucket has, as it was told. */
  const objects = new Map<string, Buffer>()
  const faults: string[] = []
  function mustBeWhole(): void {
    for (const [key, content] of objects) {
      const escaped = (version: string): string =>
        version.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)
      const [, folder] = /^(.+\/)@v\/list$/.exec(key) ?? []
      if (folder !== undefined)
        for (const version of content.toString().split('\n').filter(Boolean))
          for (const extension of ['zip', 'mod', 'info'])
            if (!objects.has(`${folder}@v/${escaped(version)}.${extension}`))
              faults.push(`${key} names ${version}.${extension}`)
      if (key.endsWith('/@latest')) {
        const { Version } = JSON.parse(content.toString()) as { Version: string }
        if (!objects.has(key.replace('@latest', `@v/${escaped(Version)}.zip`)))
          faults.push(`${key} names ${Version}`)
      }
    }
  }
  bucket.after = ({ method, key, body }) => {
    if (method === 'PUT') objects.set(key, body)
    if (method === 'DELETE') objects.delete(key)
    if (method === 'PUT' || method === 'DELETE') mustBeWhole()
  }
  /** A pass, beside this process, which the bucket asks for what it does. */
  const begin = (...words: string[]) => {
    const child = spawn(...plainNode(CLI, 'mirror-to', ...words), {
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { ...watch(child), kill: (signal: NodeJS.Signals) => child.kill(signal) }
  }
  const mirror = async (...words: string[]): Promise<{ code: number | null; output: string }> => {
    const pass = begin(REMOTE, ...words)
    const { code } = await pass.ended
    return { code, output: pass.output() }
  }
  /** Runs a pass, and `meanwhile` once before the first request that `when` chooses. */
  async function passWith(
    when: (seen: Seen) => boolean,
    meanwhile: () => Promise<unknown>,
    ...words: string[]
  ) {
    let done = false
    bucket.before = async (seen) => {
      if (done || !when(seen)) return
      done = true
      await meanwhile()
    }
    const pass = await mirror(...words)
    bucket.before = async () => {}
    t.ok(done, 'it happened meanwhile')
    return pass
  }
  const put = async (path: string, body: Buffer | string): Promise<void> => {
    const { status, body: said } = await plinth.ask('PUT', path, { body })
    if (status !== 201) throw new Error(said)
  }
  const publish = async (module: string, version: string, owner = 'team'): Promise<void> =>
    put(`/api/packages/${owner}/go/upload`, await simpleModule(module, version))
  const remove = async (path: string): Promise<void> => {
    const { status, body } = await plinth.ask('DELETE', path)
    if (status !== 204) throw new Error(body)
  }
  const mirrored = (owner: string): string[] =>
    [...objects.keys()].filter((key) => key.startsWith(`${owner}/`)).sort()
  const isSame = async (t: Test, owner: string, what: string): Promise<void> => {
    await plinth.viewsFollowed()
    const files = publicFiles(data, owner)
    // Tiles that larger ones have replaced stay until the next comparison.
    const there = mirrored(owner).filter((key) => files.has(key) || !/\/tile\/.+\.p\//.test(key))
    t.same(there, [...files.keys()].sort(), `${what}: the same names`)
    const others = [...files]
      .filter(([key, content]) => !objects.get(key)?.equals(content))
      .map(([key]) => key)
    t.same(others, [], `${what}: the same contents`)
  }

  enableDatabase(plinth, 'team', 'sum.corp.example/team')
  plinth.cli('owner', 'add', 'secret', '--private')
  await publish('example.com/m', 'v1.0.0')
  await publish('example.com/m', 'v1.1.0')
  await publish('github.com/Azure/x', 'v1.0.0-RC1')
  await publish('example.com/n', 'v1.0.0')
  await publish('example.com/n/sub', 'v1.0.0')
  await put(
    '/api/packages/team/go/upload',
    await moduleZip('example.com/old', 'v2.0.0+incompatible', { 'o.go': 'package old\n' }),
  )
  await publish('example.com/hidden', 'v1.0.0', 'secret')
  await put('/api/packages/team/generic/tool/1.0/a%20b%25c.txt', 'a file')
  await put('/api/packages/team/generic/tool/1.0/g++.tar.gz', 'two of them')
  await plinth.viewsFollowed()

  await t.test('a dry run changes nothing, and wrong words say so', async (t) => {
    const { code, output } = await mirror('--dry-run')
    t.equal(code, 0)
    t.match(output, /^upload team\/go\/example\.com\/m\/@v\/list$/m)
    t.notMatch(output, /secret/)
    t.equal(objects.size, 0)
    for (const words of [[], ['packages'], ['r:'], [REMOTE, 'x'], [REMOTE, '--fast']])
      t.equal(runCli(settings, ['mirror-to', ...words]).code, 2, words.join(' '))
    const path = tempFolder()
    for (const program of ['env', 'node', 'flock', 'sort', 'sh']) {
      const at = process.env['PATH']?.split(':').map((folder) => join(folder, program)) ?? []
      const found = at.find((each) => statSync(each, { throwIfNoEntry: false }))
      if (found !== undefined) symlinkSync(found, join(path, program))
    }
    const without = runCli({ ...settings, PATH: path }, ['mirror-to', REMOTE])
    t.equal(without.code, 1)
    t.match(without.stderr, 'there is no rclone in PATH')
  })

  await t.test("the manual's lines fill it: the public part, with the right types", async (t) => {
    const folder = tempFolder()
    const lines = block(MANUAL, 'A bucket as a mirror')
      .replaceAll('/etc/plinth', folder)
      .replace('https://s3.example.com', bucket.url)
      .replaceAll('scripts/plinth', `'${join(ROOT, 'scripts/plinth')}'`)
    const child = spawn('sh', ['-euc', lines], {
      env: { PATH: process.env['PATH'], PLINTH_DATA: data },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const shell = watch(child)
    t.equal((await shell.ended).code, 0, shell.output())
    t.match(shell.output(), /packages: \d+ uploaded, 0 removed, of 2 owners, in .*; everything was compared/)
    await isSame(t, 'team', 'after the first pass')
    t.same(mirrored('secret'), [])
    t.same(faults, [])
    const versions = 6
    const modules = 5
    const goes = mirrored('team').filter(
      (key) =>
        !/\/(?:generic|latest)\/|sumdb\/.*\/(?:tile|latest$|supported$)|team\/-\/[^/]+$/.test(key) ||
        /@v\/latest|@latest/.test(key),
    )
    t.equal(
      goes.length,
      versions * 5 + modules * 6,
      'objects of a version and of a module, as the manual says',
    )
    const types: Record<string, string> = {
      'go/example.com/m/@v/list': 'text/plain; charset=utf-8',
      'go/example.com/m/@latest': 'application/json; charset=utf-8',
      'go/example.com/m/@v/v1.0.0.info': 'application/json; charset=utf-8',
      'go/example.com/m/@v/v1.0.0.mod': 'text/plain; charset=utf-8',
      'go/example.com/m/@v/v1.0.0.zip': 'application/zip',
      'generic/tool/1.0/a%20b%25c.txt': 'application/octet-stream',
      '-/index.json': 'application/json; charset=utf-8',
    }
    for (const [path, type] of Object.entries(types)) {
      const { headers } = await fetch(`${bucket.url}/packages/api/packages/team/${path}`)
      t.equal(headers.get('content-type'), type, path)
      // the server of this test keeps no other headers
      const sent = bucket.seen.find(
        ({ method, key }) => method === 'PUT' && key === decodeURIComponent(`team/${path}`),
      )
      t.equal(sent?.headers['cache-control'], 'no-cache', path)
      t.equal(
        sent?.headers['content-disposition'],
        path.startsWith('generic') ? 'attachment' : undefined,
        path,
      )
    }
  })

  await t.test('a pass with nothing to do asks the bucket for nothing', async (t) => {
    await mirror('--full')
    bucket.seen.length = 0
    const { code, output } = await mirror()
    t.equal(code, 0)
    t.match(output, ': 0 uploaded, 0 removed, of 2 owners')
    t.same(bucket.seen, [])
    t.match((await mirror('--full')).output, ': 0 uploaded, 0 removed, of 2 owners')
    t.notOk(bucket.seen.some(({ method }) => method === 'PUT' || method === 'DELETE'))
  })

  /** The keys of a method since the last call, in their order. */
  const sent = (method: string): string[] =>
    bucket.seen.splice(0).flatMap((seen) => (seen.method === method ? [seen.key] : []))
  const isName = (key: string): boolean => /@latest$|@v\/list$|index\.json$|feed\.atom$|\/latest$/.test(key)

  await t.test('what was published and deleted follows, and names come last and go first', async (t) => {
    await publish('example.com/m', 'v1.2.0')
    await publish('example.com/m', 'v0.0.0-20260101000000-0123456789ab')
    await remove('/api/packages/team/go/example.com/m/@v/v1.0.0')
    await remove('/api/packages/team/go/example.com/n/sub/@v/v1.0.0')
    await remove('/api/packages/team/generic/tool/1.0/g++.tar.gz')
    await put('/api/packages/team/generic/tool/1.1/new', 'new')
    await plinth.viewsFollowed()
    bucket.seen.length = 0
    const { code, output } = await mirror()
    t.equal(code, 0, output)
    t.notMatch(output, 'everything')
    await isSame(t, 'team', 'after the log')
    const deleted = bucket.seen.filter(({ method }) => method === 'DELETE').map(({ key }) => key)
    const ofSub = deleted.filter((key) => key.includes('/n/sub/'))
    t.ok(
      ofSub.findIndex((key) => key.endsWith('/v1.0.0.info')) >
        ofSub.findIndex((key) => key.endsWith('/list')),
      ofSub.join(),
    )
    const puts = sent('PUT').filter((key) => key.startsWith('team/go/'))
    const firstName = puts.findIndex(isName)
    t.same(
      puts.slice(firstName).filter((key) => /v1\.2\.0\.(?:zip|mod|info)$/.test(key)),
      [],
      'no file comes after a name',
    )
    t.notOk(
      puts.some((key) => key.includes('Azure') || key.includes('!azure')),
      'no other module is looked at',
    )
    t.match((await mirror('--full')).output, /: 0 uploaded, \d removed/)
    t.same(faults, [])
  })

  await t.test('what is published and deleted while a pass runs', async (t) => {
    await publish('example.com/m', 'v1.3.0')
    await plinth.viewsFollowed()
    const isZip = ({ method, key }: Seen): boolean => method === 'PUT' && key.endsWith('.zip')
    const isList = ({ method, key }: Seen): boolean => method === 'PUT' && key.endsWith('m/@v/list')
    const followed = await passWith(isZip, async () => {
      await publish('example.com/m', 'v1.0.5') // not the latest, which would be seen to change
      await remove('/api/packages/team/go/example.com/m/@v/v1.1.0')
    })
    t.equal(followed.code, 0, followed.output)
    t.same(faults, [], 'by the log')
    await plinth.viewsFollowed()
    await mirror()
    await isSame(t, 'team', 'after the next pass')

    rmSync(join(data, 'state/mirror'), { recursive: true })
    await publish('example.com/m', 'v1.5.0')
    await publish('example.com/n', 'v1.1.0')
    const compared = await passWith(isZip, async () => {
      await publish('example.com/m', 'v1.4.1')
      await remove('/api/packages/team/go/example.com/m/@v/v1.2.0')
      await plinth.viewsFollowed()
    })
    t.match(compared.output, 'everything was compared')
    t.same(faults, [], 'by comparing')
    await mirror()
    await isSame(t, 'team', 'and the next one')

    await publish('example.com/m', 'v1.7.0')
    await plinth.viewsFollowed()
    await passWith(isList, () => remove('/api/packages/team/go/example.com/m/@v/v1.4.1'))
    await plinth.viewsFollowed()
    await mirror()
    await isSame(t, 'team', 'after a delete between the files and the list')
    t.same(faults, [])
  })

  await t.test('another pass of the same remote is refused, and a signal stops one at once', async (t) => {
    await publish('example.com/m', 'v1.8.0')
    await plinth.viewsFollowed()
    const other = await passWith(
      ({ method }) => method === 'PUT',
      async () => {
        const { code, output } = await mirror()
        t.equal(code, 1)
        t.match(output, 'another mirror-to of this remote is running')
      },
    )
    t.equal(other.code, 0)
    await publish('example.com/m', 'v1.9.0')
    await plinth.viewsFollowed()
    const held: (() => void)[] = []
    let pass: ReturnType<typeof begin> | undefined
    bucket.before = async ({ method, key }) => {
      if (method !== 'PUT' || !key.endsWith('.info')) return
      pass?.kill('SIGTERM')
      await new Promise<void>((resolve) => void held.push(resolve))
    }
    pass = begin(REMOTE)
    t.equal((await pass.ended).code, 1)
    t.match(pass.output(), 'stopped: the next pass goes on from here')
    bucket.before = async () => {}
    held.forEach((go) => go())
    t.same(
      readdirSync(join(data, 'state/mirror')).flatMap((each) =>
        readdirSync(join(data, 'state/mirror', each, 'pass')),
      ),
      [],
    )
    t.equal((await mirror()).code, 0)
    await isSame(t, 'team', 'after that')
    t.same(faults, [])
  })

  await t.test('go reads the bucket, and through nginx', async (t) => {
    await goReads(t, bucket, plinth)
  })

  await t.test('an owner that becomes private leaves, at the latest with the next pass', async (t) => {
    await publish('example.com/a', 'v1.0.0', 'admin')
    await plinth.viewsFollowed()
    await mirror()
    t.ok(mirrored('admin').length > 5)
    await publish('example.com/a', 'v1.1.0', 'admin')
    await plinth.viewsFollowed()
    const { code, output } = await passWith(
      ({ method, key }) => method === 'PUT' && key.endsWith('a/@v/v1.1.0.mod'),
      async () => plinth.cli('owner', 'set', 'admin', '--private'),
    )
    t.equal(code, 0, output)
    t.same(mirrored('admin'), [], 'the pass that runs')
    plinth.cli('owner', 'set', 'admin', '--public')
    await mirror()
    await isSame(t, 'admin', 'public again')
    plinth.cli('owner', 'set', 'admin', '--private')
    bucket.seen.length = 0
    await mirror()
    t.same(mirrored('admin'), [], 'the next pass')
    const deleted = sent('DELETE')
    const firstFile = deleted.findIndex((key) => /\/v[^/]*\.(?:zip|mod|info)$/.test(key))
    t.same(deleted.slice(firstFile).filter(isName), [], 'names go first')
    t.same(faults, [])
    // the same without the memory of it
    plinth.cli('owner', 'set', 'admin', '--public')
    await mirror()
    plinth.cli('owner', 'set', 'admin', '--private')
    rmSync(join(data, 'state/mirror'), { recursive: true })
    await mirror()
    t.same(mirrored('admin'), [])
  })

  await t.test('a tree that is gone empties nothing', async (t) => {
    await plinth.stopShim() // it would make some of it again
    const before = [...objects.keys()].sort()
    for (const gone of ['tree', 'access/public', 'tree/api/packages/team', 'tree/-/index.html'])
      for (const words of [[], ['--full']]) {
        renameSync(join(data, gone), join(data, 'gone'))
        const { code, output } = await mirror(...words)
        renameSync(join(data, 'gone'), join(data, gone))
        t.equal(code, 1, gone)
        t.match(output, /nothing of it was removed|Nothing was removed/, gone)
      }
    // An empty folder is what an unmounted file system leaves.
    const team = join(data, 'tree/api/packages/team')
    renameSync(team, join(data, 'gone'))
    mkdirSync(team)
    const emptied = await mirror('--full')
    rmdirSync(team)
    renameSync(join(data, 'gone'), team)
    t.equal(emptied.code, 1)
    t.match(emptied.output, /team: (\d+) of \1 objects have no file any more/)
    t.same([...objects.keys()].sort(), before)

    const folder = join(team, 'generic/many/1')
    mkdirSync(folder, { recursive: true })
    for (let nth = 0; nth < 600; nth++) writeFileSync(join(folder, String(nth)), 'x')
    t.equal((await mirror('--full')).code, 0)
    rmSync(join(folder, '..'), { recursive: true })
    const refused = await mirror('--full')
    t.equal(refused.code, 1)
    t.match(
      refused.output,
      /team: 600 of \d+ objects have no file any more; if that is right, run it once with --force/,
    )
    t.equal((await mirror()).code, 1, 'the next pass says it again')
    t.equal(mirrored('team').filter((key) => key.includes('/many/')).length, 600)
    t.equal((await mirror('--full', '--force')).code, 0)
    await isSame(t, 'team', 'with --force')
  })

  await t.test('what is not of the mirror stays, and a bucket that does not answer is said', async (t) => {
    await fetch(`${bucket.url}/packages/api/packages/strange/x`, { method: 'PUT', body: 'x' })
    const { code, output } = await mirror('--full')
    t.equal(code, 1)
    t.match(output, /strange is of no owner that was mirrored: left; --force removes it/)
    t.equal((await fetch(`${bucket.url}/packages/api/packages/strange/x`)).status, 200)
    settings['RCLONE_CONFIG_R_ENDPOINT'] = `http://127.0.0.1:${await freePort()}`
    Object.assign(settings, { RCLONE_LOW_LEVEL_RETRIES: '1', RCLONE_RETRIES: '1' })
    const down = await mirror('--full')
    t.equal(down.code, 1)
    t.match(down.output, /plinth: rclone lsf ended with 1: .*refused/)
    t.notMatch(down.output, 'secret-of-a-test')
  })
})

/** What an nginx has around a file of conf.d. */
const TEMPS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
const FRONT = `daemon off;
error_log stderr error;
pid nginx.pid;
worker_processes 1;
events { }
http {
access_log off;
${TEMPS.map((name) => `${name}_temp_path ${name};\n`).join('')}`

/** Starts an nginx with the shipped bucket.conf, the names in it changed to those of the test, and no TLS. */
async function startFront(t: Test, bucket: Bucket, originPort: number): Promise<number> {
  const folder = tempFolder()
  const port = await freePort()
  const shipped = readFileSync(join(ROOT, 'scripts/deploy/nginx/bucket.conf'), 'utf8')
  const conf = shipped
    .replace('server s3.example.com:443', `server ${bucket.url.slice('http://'.length)}`)
    .replace('server plinth.example.com:443', `server 127.0.0.1:${originPort}`)
    .replaceAll('proxy_pass https://', 'proxy_pass http://')
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replaceAll(/^ *proxy_ssl_(?:verify|trusted_certificate) .*$/gm, '')
  writeFileSync(join(folder, 'nginx.conf'), `${FRONT}${conf}}\n`)
  const child = spawn('nginx', ['-p', `${folder}/`, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said = watch(child)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await said.ended
  })
  await until(async () => {
    if (child.exitCode !== null) throw new Error(said.output())
    return !(await isFree(port))
  })
  return port
}

async function goReads(t: Test, bucket: Bucket, plinth: Plinth): Promise<void> {
  const front = await startFront(t, bucket, plinth.port)
  const { gosumdb } = databaseOf(plinth, 'team')
  const lines = block(MANUAL, 'A bucket as a mirror', 1)
  const direct = (/GOPROXY=(\S+)/.exec(lines)?.[1] ?? '').replace('https://s3.example.com', bucket.url)
  const proxies = { direct, nginx: `http://127.0.0.1:${front}/api/packages/team/go` }
  for (const [name, proxy] of Object.entries(proxies)) {
    bucket.isListingGranted = name === 'direct'
    const go = makeGo(proxy, { GOSUMDB: gosumdb, GONOSUMDB: 'none' })
    const main = go.newModule()
    const got = await go.run(
      ['get', 'example.com/m@latest', 'github.com/Azure/x@v1.0.0-RC1', 'example.com/n'],
      main,
    )
    t.equal(got.code, 0, `${name}: ${got.stderr}`)
    t.match(got.stderr, 'example.com/m v1.9.0')
    const versions = await go.run(['list', '-m', '-versions', 'example.com/m'], main)
    t.equal(versions.stdout, 'example.com/m v1.0.5 v1.3.0 v1.5.0 v1.7.0 v1.8.0 v1.9.0\n', name)
    const old = await go.run(['mod', 'download', 'example.com/old@v2.0.0+incompatible'], main)
    if (name === 'nginx') t.equal(old.code, 0, `${name}: ${old.stderr}`)
    else t.not(old.code, 0, 'a service that takes + for a space, asked directly, as the manual says')
    const other = makeGo(`${proxy},file:///nowhere`, { GONOSUMDB: 'example.com' })
    const missing = await other.run(['list', '-m', 'example.com/none@v1.0.0'], other.newModule())
    t.match(missing.stderr, /nowhere/, `${name}: a miss is 404, so go asks the next proxy`)
  }
  bucket.isListingGranted = false
  const at = (method: string, path: string, asking: Asking = {}) =>
    ask(front, method, `/api/packages/${path}`, asking)
  const get = (path: string, auth: string | false = false) => at('GET', path, { auth })
  const file = await get('team/generic/tool/1.0/a%20b%25c.txt')
  t.equal(file.body, 'a file')
  t.notOk(Object.keys(file.headers).some((header) => header.startsWith('x-amz-meta')))
  t.equal((await get('team/go/example.com/none/@v/list')).status, 404)
  const hidden = 'secret/go/example.com/hidden/@v/v1.0.0.info'
  t.equal((await get(hidden)).status, 401, 'a private owner is answered by the origin')
  t.equal((await get('nobody/go/example.com/hidden/@v/v1.0.0.info')).status, 401)
  t.equal((await get(hidden, AUTH)).status, 200, 'with the credentials that were sent')
  const body = await simpleModule('example.com/fresh', 'v1.0.0')
  t.equal((await at('PUT', 'team/go/upload', { body })).status, 201, 'a write goes to the origin')
  t.equal(
    (await get('team/go/example.com/fresh/@v/v1.0.0.info')).status,
    200,
    'and is read before the next pass',
  )
  t.match(
    (await ask(front, 'GET', '/team/')).headers['content-type'],
    'text/html',
    'pages are those of the origin',
  )
  const odd = [
    'team/../secret/x',
    'team/%2e%2e/%2e%2e/%2e%2e/packages/x',
    'team/go//x',
    'team/x?acl',
    'team/x%2Fy',
  ]
  for (const path of odd) t.ok([400, 401, 404].includes((await get(path)).status), path)
  t.equal((await at('DELETE', 'team/go/example.com/m/@v/v1.9.0', { auth: false })).status, 401)

  const alone = await startFront(t, bucket, await freePort())
  const without = (path: string) => ask(alone, 'GET', `/api/packages/${path}`, { auth: false })
  t.equal(
    (await without('team/go/example.com/m/@v/list')).status,
    200,
    'the origin is down: the bucket goes on',
  )
  t.equal((await without('team/go/example.com/none/@v/list')).status, 404)
  const refused = await without(hidden)
  t.equal(refused.status, 503, 'never 404 of an owner that may be private')
  t.equal(refused.headers['retry-after'], '5')
  t.equal((await without('admin-of-nothing/go/x/@v/list')).status, 503)
  bucket.isListingGranted = true
}
