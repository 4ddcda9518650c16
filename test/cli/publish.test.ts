// `plinth publish` as a person runs it, against servers that answer what no Plinth should.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { pack } from '../../src/pack/pack.js'
import { CLI, plainNode } from '../support/cli.js'
import { moduleWithMegabytes, publishHome, publishTemp, runPublish } from '../support/publish-command.js'
import { answer, startScriptedServer } from '../support/scripted-server.js'
import { tempFolder } from '../support/temp-folder.js'

t.test('publishing to servers that answer what no Plinth should', async (t) => {
  const server = await startScriptedServer()
  t.teardown(server.stop)
  const { seen } = server
  const env = { PLINTH_URL: server.url, PLINTH_OWNER: 'team', PLINTH_TOKEN: 'a-secret' }
  const folder = moduleWithMegabytes()
  const work = tempFolder('plinth-publish-work')
  const zip = await pack({ folder, version: 'v1.0.0', temp: work }, join(work, 'm.zip'))

  let stated: IncomingMessage['headers'] = {}
  server.handle = (req, res) => {
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
      server.handle = (req) => {
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
