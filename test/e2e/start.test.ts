// `npm start` as a person meets it: the first run, a second one, signals, and everything that can be wrong.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { watch } from '../support/child.js'
import { CLI, plainNode } from '../support/cli.js'
import { ask } from '../support/http.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { childrenOf, START, start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

t.test('npm start', needs('nginx', 'pgrep'), async (t) => {
  const port = await freePort()
  const data = join(tempFolder(), 'a data folder')
  const env = { PLINTH_DATA: data, PLINTH_LISTEN: `127.0.0.1:${port}` }
  let token = ''

  await t.test('the first run shows a token once, with lines that work', async (t) => {
    const run = start(env)
    await run.until(/plinth: serving/)
    token = /^ {2}(plinth_\S+)$/m.exec(run.output())?.[1] ?? ''
    t.ok(Buffer.from(token.slice('plinth_'.length), 'base64url').length * 8 >= 160, 'at least 160 bits')
    t.match(run.output(), `curl --user admin:${token} --upload-file`)
    t.match(run.output(), `GOPROXY=http://127.0.0.1:${port}/api/packages/admin/go`)
    const put = await ask(port, 'PUT', '/api/packages/admin/generic/a/1/b', {
      body: 'x',
      auth: `Bearer ${token}`,
    })
    t.equal(put.status, 201)

    await t.test('a second one on the same folder says so, and disturbs nothing', async (t) => {
      const second = start({ ...env, PLINTH_LISTEN: `127.0.0.1:${await freePort()}` })
      t.equal((await second.ended).code, 1)
      t.match(second.output(), /^plinth: another plinth is running on this data folder.*\n$/)
      t.equal((await ask(port, 'GET', '/api/packages/admin/generic/a/1/b')).status, 200)
    })

    run.kill('SIGTERM')
    t.same(await run.ended, { code: 0, signal: null }, 'SIGTERM ends it cleanly')
    t.notOk(existsSync(join(data, 'state/shim.sock')))
    await t.rejects(ask(port, 'GET', '/'), 'nginx is gone too')
  })

  await t.test('a second run knows the token and does not show it', async (t) => {
    const run = start({ ...env, PLINTH_ADMIN_TOKEN: 'another-token-0123456789', PLINTH_LISTN: 'typo' })
    await run.until(/plinth: serving/)
    await run.until(/warning: PLINTH_ADMIN_TOKEN matches no account/)
    await run.until(/warning: PLINTH_LISTN is not a setting/)
    t.notMatch(run.output(), token)
    t.equal((await ask(port, 'GET', '/api/packages/admin/generic/a/1/b')).body, 'x')
    run.kill('SIGINT')
    t.same(await run.ended, { code: 0, signal: null }, 'Ctrl-C ends it cleanly')
  })

  await t.test('a token that is given is neither printed nor handed on', async (t) => {
    const given = 'given-token-0123456789'
    const run = start({ ...env, PLINTH_DATA: join(tempFolder(), 'd'), PLINTH_ADMIN_TOKEN: given })
    await run.until(/plinth: serving/)
    t.match(run.output(), 'Its token is the one in\nPLINTH_ADMIN_TOKEN')
    t.match(run.output(), '--user "admin:$PLINTH_ADMIN_TOKEN" --upload-file')
    const put = { body: 'x', auth: `Bearer ${given}` }
    t.equal((await ask(port, 'PUT', '/api/packages/admin/generic/a/1/b', put)).status, 201)
    t.notMatch(run.output(), given)
    const children = execFileSync('pgrep', ['-P', String(run.pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
    t.equal(children.length, 2, 'the service and nginx')
    for (const pid of existsSync('/proc/self/environ') ? children : [])
      t.notMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), 'PLINTH_ADMIN_TOKEN', `process ${pid}`)
    run.kill('SIGTERM')
    t.equal((await run.ended).code, 0)
  })

  await t.test('it goes on when nobody reads its output any more', async (t) => {
    const run = start(env)
    await run.until(/plinth: serving/)
    run.stopReading()
    const auth = `Basic ${Buffer.from(`admin:${token}`).toString('base64')}`
    for (const file of ['c', 'd', 'e']) {
      const { status } = await ask(port, 'PUT', `/api/packages/admin/generic/a/1/${file}`, {
        auth,
        body: 'x',
      })
      t.equal(status, 201)
    }
    run.kill('SIGTERM')
    t.same(await run.ended, { code: 0, signal: null })
  })

  await t.test('SIGUSR2 restarts the service while nginx serves', async (t) => {
    const run = start(env)
    await run.until(/plinth: serving/)
    const auth = `Basic ${Buffer.from(`admin:${token}`).toString('base64')}`
    const put = (file: string) =>
      ask(port, 'PUT', `/api/packages/admin/generic/r/1/${file}`, { auth, body: 'x' })
    t.equal((await put('0')).status, 201)
    const pids = (): string[] =>
      [...run.output().matchAll(/"event":"ready","pid":(\d+)/g)].map(([, pid]) => pid ?? '')
    const seen = { reads: 0, wrong: 0, written: 0, refused: 0, other: 0 }
    const clock = { going: true }
    const reader = async (): Promise<void> => {
      while (clock.going) {
        seen.reads++
        const answer = await ask(port, 'GET', '/api/packages/admin/generic/r/1/0').catch(() => undefined)
        if (answer?.body !== 'x') seen.wrong++
      }
    }
    const writer = async (): Promise<void> => {
      for (let n = 1; clock.going; n++) {
        const answer = await put(String(n)).catch(() => undefined)
        if (answer?.status === 201) seen.written++
        else if (answer?.status === 503) seen.refused++
        else seen.other++
      }
    }
    const clients = [reader(), writer()]
    for (const times of [2, 3]) {
      run.kill('SIGUSR2')
      await run.until(new RegExp(`(?:"event":"ready"[^]*){${times}}runs again`))
      const before = seen.written
      await until(() => seen.written > before)
    }
    run.kill('SIGUSR2')
    await run.until(/(?:restarting the service[^]*){3}/)
    run.kill('SIGUSR2') // in the middle of it
    await run.until(/(?:"event":"ready"[^]*){5}runs again/)
    clock.going = false
    await Promise.all(clients)
    t.match(seen, { wrong: 0, other: 0 }, JSON.stringify(seen))
    t.ok(seen.reads > 0, JSON.stringify(seen))
    t.equal(new Set(pids()).size, 5)
    t.equal((await put('last')).status, 201)
    run.kill('SIGTERM')
    t.same(await run.ended, { code: 0, signal: null })
  })

  await t.test(
    'what nginx reads of accounts is derived again, and lost accounts are not made anew',
    async (t) => {
      const account = join(data, 'access/accounts/admin.json')
      const good = readFileSync(account, 'utf8')
      rmSync(join(data, 'access/readers'), { recursive: true })
      rmSync(join(data, 'access/public'), { recursive: true })
      writeFileSync(account, good.slice(0, 30))
      const run = start(env)
      await run.until(/plinth: serving/)
      t.match(run.output(), /warning: damaged: the file of account admin/)
      t.notMatch(run.output(), /first run/)
      t.equal((await ask(port, 'GET', '/api/packages/admin/generic/a/1/b')).status, 200)
      run.kill('SIGTERM')
      await run.ended
      writeFileSync(account, good)
    },
  )

  await t.test('what a killed run left is cleared away by the next', async (t) => {
    const run = start(env)
    await run.until(/plinth: serving/)
    mkdirSync(join(data, 'state/tmp/dead-upload'))
    writeFileSync(join(data, 'state/tmp/dead-upload/body'), 'x')
    run.kill('SIGKILL')
    await run.exited // its output stays open as long as nginx lives
    const next = start({ ...env, PLINTH_STANDBY: '1' }) // the orphaned service may take its time to stop
    await next.until(/plinth: (serving|.*cannot)/)
    t.match(next.output(), /ending nginx \(pid \d+\), which an earlier run left/)
    t.notOk(existsSync(join(data, 'state/tmp/dead-upload')))
    t.equal((await ask(port, 'GET', '/api/packages/admin/generic/a/1/b')).status, 200)
    next.kill('SIGTERM')
    await next.ended
  })

  await t.test(
    'what is wrong about TLS is said in one line, and with it right https is served',
    needs('openssl'),
    async (t) => {
      const { env: good, ca } = makeCertificate()
      const { env: other } = makeCertificate()
      const noPem = join(tempFolder(), 'x.pem')
      writeFileSync(noPem, 'x')
      const table: [more: Record<string, string>, says: RegExp][] = [
        [{ PLINTH_TLS_CERT: '' }, /PLINTH_TLS_CERT is missing/],
        [{ PLINTH_TLS_KEY: '' }, /PLINTH_TLS_KEY is missing/],
        [{ PLINTH_TLS_CERT: '/no/cert.pem' }, /PLINTH_TLS_CERT=\/no\/cert.pem cannot be read: ENOENT/],
        [{ PLINTH_TLS_KEY: '/' }, /PLINTH_TLS_KEY=\/ cannot be read: EISDIR/],
        [{ PLINTH_TLS_CERT: noPem }, /PLINTH_TLS_CERT=.* is not a certificate in PEM form/],
        [{ PLINTH_TLS_KEY: noPem }, /PLINTH_TLS_KEY=.* is not a private key in PEM form/],
        [{ PLINTH_TLS_KEY: other['PLINTH_TLS_KEY'] ?? '' }, /is not the key of the certificate/],
        [
          { PLINTH_HTTP_LISTEN: '203.0.113.7:80' },
          /cannot listen on PLINTH_HTTP_LISTEN=203.0.113.7:80: this machine/,
        ],
      ]
      for (const [more, says] of table) {
        const run = start({ ...env, ...good, ...more })
        t.equal((await run.ended).code, 1, String(says))
        t.match(run.output(), says)
        t.equal(run.output().trimEnd().split('\n').length, 1, `one line: ${run.output()}`)
      }
      const run = start({ ...env, ...good })
      await run.until(/plinth: serving .* at https:\/\/127/)
      t.equal((await ask(port, 'GET', '/api/packages/admin/generic/a/1/b', { ca })).status, 200)
      run.kill('SIGTERM')
      t.equal((await run.ended).code, 0)
    },
  )

  await t.test('what is wrong is said in one line', async (t) => {
    const other = createServer().listen(port, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const file = join(tempFolder(), 'file')
    writeFileSync(file, '')
    const table: [env: Record<string, string>, says: RegExp][] = [
      [env, /cannot listen on PLINTH_LISTEN=127\.0\.0\.1:\d+: another program listens there/],
      [{ ...env, PLINTH_LISTEN: '203.0.113.7:8080' }, /this machine has no such address/],
      [{ ...env, PLINTH_LISTEN: 'nonsense' }, /PLINTH_LISTEN="nonsense" is not valid: host:port/],
      [{ ...env, PLINTH_MAX_FILE_BYTES: '1 GB' }, /PLINTH_MAX_FILE_BYTES="1 GB" is not valid/],
      [{ ...env, PLINTH_DATA: file }, /PLINTH_DATA=.* cannot be written: it is not a directory/],
      [{ ...env, PLINTH_DATA: '/proc/plinth' }, /PLINTH_DATA=\/proc\/plinth cannot be written: ENOENT/],
      [
        { ...env, PLINTH_LISTEN: `127.0.0.1:${await freePort()}`, PLINTH_NGINX: '/no/nginx' },
        /there is no nginx at "\/no\/nginx"/,
      ],
    ]
    for (const [bad, says] of table) {
      const run = start(bad)
      t.equal((await run.ended).code, 1, String(says))
      const lines = run
        .output()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('{'))
      t.equal(lines.length, 1, `one line: ${run.output()}`)
      t.match(lines[0], says)
    }
    other.close()
  })

  const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' })),
  )
  const ordinaryUser =
    process.getuid?.() !== 0
      ? { skip: 'NOT TESTED: only root can become another user' }
      : canRead(uid, gid, START)
        ? {}
        : { skip: 'NOT TESTED: other users cannot read this checkout' }
  await t.test('as an ordinary user', ordinaryUser, async (t) => {
    const folder = tempFolder()
    chmodSync(folder, 0o777)
    const run = start({ ...env, PLINTH_DATA: join(folder, 'd') }, { uid, gid })
    await run.until(/plinth: serving/)
    t.notMatch(run.output(), /warning/)
    const theirs = /^ {2}(plinth_\S+)$/m.exec(run.output())?.[1] ?? ''
    t.equal(
      (await ask(port, 'PUT', '/api/packages/admin/generic/a/1/b', { body: 'x', auth: `Bearer ${theirs}` }))
        .status,
      201,
    )
    t.equal((await ask(port, 'GET', '/api/packages/admin/generic/a/1/b')).body, 'x')
    run.kill('SIGTERM')
    t.equal((await run.ended).code, 0)
    const locked = start({ ...env, PLINTH_DATA: '/root/plinth-data' }, { uid, gid })
    t.equal((await locked.ended).code, 1)
    t.match(locked.output(), /PLINTH_DATA=\/root\/plinth-data cannot be written: EACCES/)
  })

  await t.test(
    'scripts/start becomes the program that gets the signals, in a path with spaces',
    async (t) => {
      const root = fileURLToPath(new URL('../../../', import.meta.url))
      const link = join(tempFolder(), 'a path with spaces')
      symlinkSync(root, link)
      const child = spawn('sh', [join(link, 'scripts/start')], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const script = watch(child)
      await script.until(/plinth: serving/)
      child.kill('SIGTERM')
      t.equal((await script.ended).code, 0)
    },
  )
})

function canRead(uid: number, gid: number, path: string): boolean {
  try {
    execFileSync('test', ['-r', path], { uid, gid })
    return true
  } catch {
    return false
  }
}

t.test('the command for owners', async (t) => {
  const data = join(tempFolder(), 'data')
  const cli = (...words: string[]): { code: number; output: string } => {
    const { status, stdout, stderr } = spawnSync(...plainNode(CLI, ...words), {
      env: { ...process.env, PLINTH_DATA: data },
      encoding: 'utf8',
    })
    return { code: status ?? -1, output: stdout + stderr }
  }
  t.match(cli('--help'), { code: 0, output: /usage: scripts\/plinth COMMAND/ })
  t.match(cli('owner', 'add', 'team'), { code: 0, output: /owner team added[^]*there was no data folder/ })
  t.match(cli('owner', 'add', 'team'), { code: 1, output: /declared already/ })
  t.match(cli('owner', 'add', 'A.b'), { code: 0 })
  t.match(cli('owner', 'list'), { code: 0, output: 'A.b public\nteam public\n' })
  t.match(cli('owner', 'add', '../x'), { code: 1, output: /invalid owner name/ })
  t.match(cli('owner', 'add'), { code: 2, output: /usage/ })
  t.match(cli('nothing'), { code: 2, output: /there is no command "nothing"/ })
  t.match(cli('--nothing'), { code: 2, output: /usage/ })
  t.match(cli(), { code: 2 })
  t.equal(readlinkSync(join(data, 'access/public/team')), '../../tree/api/packages/team')
})

const asRoot =
  process.getuid?.() === 0
    ? needs('nginx', 'pgrep')
    : { skip: 'NOT TESTED: only root can become another user' }

t.test("root starts it on another user's folder: everything runs as that user", asRoot, async (t) => {
  const data = join(tempFolder(), 'data')
  mkdirSync(data)
  chownSync(data, 65_534, 65_534)
  const roots = join(tempFolder(), 'roots')
  mkdirSync(join(roots, 'readers'), { recursive: true })
  writeFileSync(join(roots, 'shadow'), 'of root', { mode: 0o600 })
  mkdirSync(join(data, 'access/readers'), { recursive: true })
  symlinkSync(join(roots, 'shadow'), join(data, 'access/readers/shadow'))
  execFileSync('chown', ['-hR', '65534:65534', data])
  const run = start({ PLINTH_DATA: data, PLINTH_LISTEN: `127.0.0.1:${await freePort()}` })
  await run.until(/plinth: serving/)
  t.match(
    run.output(),
    /warning: the data folder belongs to user 65534: nginx and the service run as that user/,
  )
  for (const pid of [run.pid, ...childrenOf(run.pid, '')])
    t.match(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
      /^Uid:\t65534\t65534\t65534\t65534$/m,
      `process ${pid}`,
    )
  t.equal(statSync(join(roots, 'shadow')).uid, 0, "a link in the folder gives nothing of root's away")
  run.kill('SIGTERM')
  t.same(await run.ended, { code: 0, signal: null })

  const state = join(data, 'state')
  rmSync(state, { recursive: true })
  symlinkSync(roots, state)
  execFileSync('chown', ['-h', '65534:65534', state])
  const again = start({ PLINTH_DATA: data, PLINTH_LISTEN: `127.0.0.1:${await freePort()}` })
  t.equal((await again.ended).code, 1, again.output())
  t.same(readdirSync(roots).sort(), ['readers', 'shadow'], 'nothing was written through the link')
})
