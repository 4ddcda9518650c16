// An upload to servers that answer what no Plinth should.

import { join } from 'node:path'
import { mock } from 'node:test'
import t from 'tap'
import { publish } from '../../src/client/upload.js'
import { serverOf } from '../../src/client/server.js'
import { messageOf } from '../../src/errors.js'
import { pack } from '../../src/pack/pack.js'
import { moduleWithMegabytes } from '../support/publish-command.js'
import { answer, startScriptedServer, type Handler } from '../support/scripted-server.js'
import { tempFolder } from '../support/temp-folder.js'

t.test('servers that answer what no Plinth should', async (t) => {
  const server = await startScriptedServer()
  t.teardown(server.stop)
  const { seen } = server
  // in this process: a new one for each would take long
  const work = tempFolder('plinth-publish-work')
  const zip = await pack(
    { folder: moduleWithMegabytes(), version: 'v1.0.0', temp: work },
    join(work, 'm.zip'),
  )
  const target = serverOf({ url: server.url, owner: 'team', token: 'a-secret', netrc: '' }, false)
  const refusedWith = async (handler: Handler, message: string | RegExp): Promise<void> => {
    server.handle = handler
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
    answer(302, '', { location: `http://${'x'.repeat(5000)}/` }),
    /sends us to http:\/\/x{293}, which is not followed/,
  )
  await refusedWith(
    answer(413, '<html>', { 'content-type': 'text/html' }),
    /413: the zip is too large for this server$/,
  )
  await refusedWith(
    answer(507, 'no room\u001b[2J', { 'retry-after': '5' }),
    /507: the server has no room left; try again in 5 seconds\nno room\\u001b\[2J/,
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

  await t.test('an answer that never ends', async (t) => {
    mock.timers.enable({ apis: ['setInterval'] })
    t.teardown(() => mock.timers.reset())
    const day = 24 * 3_600_000
    // the head comes, or a part of the body does, and then the clock goes on
    await refusedWith(
      (req) => void req.once('data', () => mock.timers.tick(day)),
      'slower than 1024 bytes a second',
    )
    await refusedWith((req, res) => {
      req.resume()
      req.on('end', () => {
        res.writeHead(400).write('a')
        setImmediate(() => mock.timers.tick(day))
      })
    }, 'slower than 1024 bytes a second')
  })
})
