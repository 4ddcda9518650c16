// Where `npm start` listens: several addresses, all of both families, and a socket that is a file.

import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { makeCertificate } from '../support/certificate.js'
import { block, MANUAL } from '../support/documents.js'
import { ask, type Asking } from '../support/http.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { settingsOfStarts, start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1')

/** Leaves a socket that nobody listens on. */
function leaveSocket(path: string): void {
  const lines = "net.createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))"
  spawnSync(process.execPath, ['-e', lines, path], { env: {} })
}

t.test('npm start listens in several places', needs('nginx', 'openssl'), async (t) => {
  const certificate = makeCertificate()
  const port = await freePort()
  const folder = tempFolder('plinth-socket')
  const socket = join(folder, 'http.sock')
  const data = join(folder, 'data')
  const [several = '', all = ''] = settingsOfStarts(block(MANUAL, 'Addresses', 0, '')).map(
    ({ PLINTH_LISTEN = '' }) => PLINTH_LISTEN,
  )
  t.equal(readConfig({ PLINTH_LISTEN: several }).listen.length, 2, 'the first line of the manual')
  const here = all.replace('8080', String(port)).replace('/run/plinth/http.sock', socket)
  const env = { ...certificate.env, PLINTH_DATA: data, PLINTH_LISTEN: here }
  const token = 'a-token-of-the-test-0123456789'
  const auth = `Basic ${Buffer.from(`admin:${token}`).toString('base64')}`
  const ways: [way: string, via: Asking['via']][] = [
    ['127.0.0.1', {}],
    ['the socket', { socketPath: socket }],
  ]
  if (hasIpv6) ways.push(['::1', { host: '::1' }])
  else t.comment('NOT TESTED: this machine has no IPv6')
  const servedEverywhere = async (path: string): Promise<void> => {
    for (const [way, via] of ways) {
      const asking = { auth, body: 'x', ca: certificate.ca, via: { servername: 'localhost', ...via } }
      const file = `/api/packages/admin/generic/a/1/${path}-${encodeURIComponent(way)}`
      t.equal((await ask(port, 'PUT', file, asking)).status, 201, `written by way of ${way}`)
      t.equal((await ask(port, 'GET', file, { ...asking, body: '' })).body, 'x', `read by way of ${way}`)
    }
  }
  const masterPid = (): number => Number(readFileSync(join(data, 'state/nginx/nginx.pid'), 'utf8'))

  const run = start({ ...env, PLINTH_ADMIN_TOKEN: token })
  await run.until(new RegExp(`plinth: serving \\S+ at https://localhost:${port}, unix:${socket}\n`))
  await servedEverywhere('first')

  const first = masterPid()
  process.kill(first, 'SIGKILL')
  await run.until(/nginx runs again/)
  // nginx listens before it writes its number. With that of the dead one the next signal would hit nobody.
  await until(() => masterPid() > 0 && masterPid() !== first)
  await servedEverywhere('nginx-killed')

  const second = masterPid()
  run.kill('SIGKILL')
  await run.exited
  process.kill(-second, 'SIGKILL')
  await run.ended // every process that has its output
  t.ok(lstatSync(socket).isSocket(), 'the dead ones have left their socket')
  const again = start(env)
  await again.until(/plinth: serving/)
  await servedEverywhere('all-killed')
  again.kill('SIGTERM')
  t.equal((await again.ended).code, 0, again.output())
  t.notOk(existsSync(socket), 'a clean end leaves none')

  await t.test('what is not ours, or is in use, stays and is named in one line', async (t) => {
    const at = (name: string) => join(folder, name)
    writeFileSync(at('file'), 'not a socket')
    const other = createServer().listen(at('heard'))
    t.teardown(() => other.close())
    await until(() => existsSync(at('heard')))
    leaveSocket(at('foreign'))
    const asRoot = process.getuid?.() === 0
    if (asRoot) chownSync(at('foreign'), 65534, 65534)
    else t.comment('NOT TESTED: only root can make a socket of another user')
    const bare = at('nginx-without-realip')
    writeFileSync(bare, '#!/bin/sh\necho "nginx version: nginx/1.22.1" >&2\n')
    chmodSync(bare, 0o755)
    mkdirSync(at('folder'))
    const table: [env: Record<string, string>, says: RegExp][] = [
      [
        { PLINTH_LISTEN: `unix:${at('file')}` },
        /cannot listen on PLINTH_LISTEN=unix:\S+: a file that is no socket/,
      ],
      [{ PLINTH_LISTEN: `unix:${at('folder')}` }, /a file that is no socket has this name/],
      [
        { PLINTH_LISTEN: `unix:${at('heard')}` },
        /another program listens there; stop it, or set PLINTH_LISTEN to/,
      ],
      [{ PLINTH_LISTEN: `unix:${at('none/s')}` }, /there is no folder \S+none$/],
      [{ PLINTH_LISTEN: `unix:${at('file/s')}` }, /cannot listen on PLINTH_LISTEN=unix:\S+: ENOTDIR/],
      [
        { PLINTH_LISTEN: '*:8443', PLINTH_HTTP_LISTEN: '0.0.0.0:8443' },
        /PLINTH_HTTP_LISTEN=0\.0\.0\.0:8443 is in PLINTH_LISTEN, too/,
      ],
      [
        { PLINTH_LISTEN: `127.0.0.1:${port}`, PLINTH_NGINX: bare, PLINTH_TRUSTED_PROXIES: '127.0.0.1' },
        /PLINTH_TRUSTED_PROXIES needs an nginx with its realip module, and "\S+" was built without/,
      ],
    ]
    if (asRoot)
      table.push([{ PLINTH_LISTEN: `unix:${at('foreign')}` }, /a socket of another user has this name/])
    for (const [bad, says] of table) {
      const refused = start({ ...env, ...bad })
      t.equal((await refused.ended).code, 1, String(says))
      const lines = refused.output().trimEnd().split('\n')
      t.equal(lines.filter((line) => !line.startsWith('{')).length, 1, `one line: ${refused.output()}`)
      t.match(lines[0], says)
    }
    for (const name of ['file', 'heard', 'foreign', 'folder']) t.ok(existsSync(at(name)), name)
  })
})
