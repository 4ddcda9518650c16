// `npx plinth publish` against servers that answer what no Plinth should.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { publish } from '../../src/client/upload.js'
import { serverOf } from '../../src/client/server.js'
import { messageOf } from '../../src/errors.js'
import { pack } from '../../src/pack/pack.js'
import { CLI, plainNode } from '../support/cli.js'
import { tempFolder } from '../support/temp-folder.js'
import { moduleFolder, publishHome, publishTemp, runPublish } from '../support/publish-command.js'

type Handler = (req: IncomingMessage, res: ServerResponse) => void

t.test('servers that answer what no Plinth should', async (t) => {
  let handle: Handler = () => {}
  const seen: { method: string | undefined; url: string | undefined; authorization: string | undefined }[] =
    []
  const server = createServer((req, res) => {
    seen.push({ method: req.method, url: req.url, authorization: req.headers.authorization })
    handle(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const env = { PLINTH_URL: `http://127.0.0.1:${port}`, PLINTH_OWNER: 'team', PLINTH_TOKEN: 'a-secret' }
  const folder = moduleFolder()
  writeFileSync(join(folder, 'big'), Buffer.from(Array.from({ length: 3e6 }, (_, i) => (i * i * 7919) % 251)))
  const answer =
    (status: number, body = '', headers: Record<string, string> = {}): Handler =>
    (req, res) => {
      req.resume()
      req.on('end', () => res.writeHead(status, headers).end(body))
    }
  // in this process: a new one for each would take long
  const work = tempFolder('plinth-publish-work')
  const zip = await pack({ folder, version: 'v1.0.0', temp: work }, join(work, 'm.zip'))
  const target = serverOf({ url: env.PLINTH_URL, owner: 'team', token: 'a-secret', netrc: '' }, false)
  const refusedWith = async (handler: Handler, message: string | RegExp): Promise<void> => {
    handle = handler
    seen.length = 0
    const error = await publish(target, zip, tempFolder(), () => {}).then(
      () => new Error('it was published'),
      (thrown: unknown) => thrown,
    )
    t.match(messageOf(error), message)
    t.notMatch(messageOf(error), /a-secret|\u001b/)
    t.equal(seen.filter(({ method }) => method === 'PUT').length, 1, 'asked once, never again')
  }
  await refusedWith(
    answer(307, '', { location: 'http://127.0.0.1:1/elsewhere' }),
    'sends us to http://127.0.0.1:1/elsewhere, which is not followed',
  )
  await refusedWith(
    answer(413, '<html>', { 'content-type': 'text/html' }),
    /413: the zip is too large for this server$/,
  )
  await refusedWith(
    answer(507, 'no room\u001b[2J', { 'retry-after': '5' }),
    /507: the server has no room left; try again in 5 seconds\nno room \[2J/,
  )
  await refusedWith(answer(400, 'this is wrong\nand this'), 'refused it with 400\nthis is wrong\nand this')
  await refusedWith(answer(418, 'x'.repeat(500_000)), /refused it with 418\nx{1000}/)
  await refusedWith(answer(200, 'welcome'), 'refused it with 200')
  await refusedWith(
    (req) => void req.once('data', () => req.destroy()),
    /cannot be asked \(\d+ of \d+ bytes were sent\)/,
  )
  await refusedWith((req, res) => {
    req.resume()
    res.shouldKeepAlive = true // closing with a part of the body unread would reset the connection
    res.writeHead(401).end('no')
  }, '401')
  await refusedWith((_req, res) => void res.socket?.end('HTTP/9 nonsense\r\n\r\n'), 'cannot be asked')
  await refusedWith(
    answer(201, 'example.com/m v1.0.0 h1:other'),
    'published it with another content: h1:other',
  )
  const conflict =
    (then: Handler): Handler =>
    (req, res) =>
      (req.method === 'PUT' ? answer(409) : then)(req, res)
  await refusedWith(conflict(answer(200, 'no zip')), 'is published already, with another content')
  await refusedWith(conflict(answer(404)), 'whether with this content cannot be read')
  await refusedWith(
    conflict(
      (_req, res) => void res.writeHead(200, { 'content-length': '100' }).write('short', () => res.destroy()),
    ),
    /cannot be asked|cannot be read/,
  )

  let stated: IncomingMessage['headers'] = {}
  handle = (req, res) => {
    if (req.method === 'PUT') stated = req.headers
    ;(req.method === 'PUT' ? answer(201) : answer(500))(req, res)
  }
  seen.length = 0
  const odd = await runPublish(folder, env, 'v1.0.0')
  t.equal(odd.code, 0)
  t.equal(stated['x-checksum-sha256'], zip.sha256)
  t.equal(stated['content-length'], String(zip.bytes))
  t.match(odd.stderr, /warning: it was published, but reading it back from .* is answered with 500/)
  t.same(seen[1], {
    method: 'GET',
    url: '/api/packages/team/go/example.com/m/@v/v1.0.0.info',
    authorization: undefined,
  })

  const refusedHere = await runPublish(folder, { ...env, PLINTH_URL: 'http://plinth.example.com' }, 'v1.0.0')
  t.match(refusedHere.stderr, 'over plain http')
  t.match(
    (await runPublish(folder, { ...env, PLINTH_URL: 'http://127.0.0.1:1' }, 'v1.0.0')).stderr,
    'ECONNREFUSED',
  )
  t.equal((await runPublish(folder, env)).code, 2)
  t.equal((await runPublish(folder, env, 'v1.0.0', '--token', 'x')).code, 2, 'there is no flag for the token')

  await t.test('Ctrl-C in the middle of an upload', async (t) => {
    const [program, args] = plainNode(CLI, 'publish', 'v1.0.0')
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: publishHome, TMPDIR: publishTemp, ...env },
      stdio: 'ignore',
    })
    const gone = new Promise<void>((resolve) => {
      handle = (req) => {
        req.once('data', () => child.kill('SIGINT'))
        req.on('error', () => {})
        req.once('close', () => resolve())
        req.resume()
      }
    })
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    t.same([code, signal], [null, 'SIGINT'])
    await gone
  })
  t.same(readdirSync(publishTemp), [], 'no temporary folder is left')
})
