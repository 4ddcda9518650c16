// Runs the lines of the README for modules whose path begins with the server's name, as a reader copies them.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { block, MANUAL, README } from '../support/documents.js'
import { goAtHome } from '../support/go.js'
import { nameHosts } from '../support/named-hosts.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { simpleModule } from '../support/zips.js'

const HOST = 'plinth.example.com'
const DOMAIN = 'go.corp.example'
const run = promisify(execFile)

t.test('GOPRIVATE alone, as the README says', needs('nginx', 'openssl', 'go'), async (t) => {
  const certificate = makeCertificate([HOST, DOMAIN])
  const plinth = await startPlinth({ ...certificate.env, PLINTH_PUBLIC_URL: `https://${HOST}` })
  t.teardown(plinth.stop)
  const hosts = await nameHosts({ [HOST]: plinth.port })
  t.teardown(hosts.stop)
  plinth.cli('owner', 'add', 'secret', '--private')
  const token = plinth.cli('account', 'add', 'alice', '--read', 'secret').trimEnd().split('\n').at(-1) ?? ''
  for (const owner of ['team', 'secret']) {
    const module = `${HOST}/${owner}/m`
    const body = await simpleModule(module, 'v1.0.0', {
      'cmd/tool/main.go': 'package main\n\nfunc main() {}\n',
    })
    const answer = await plinth.ask('PUT', `/api/packages/${owner}/go/upload`, { body, ca: certificate.ca })
    t.match(answer.body, `\nGOPRIVATE=${HOST} go get ${module}@v1.0.0\n`, 'the upload says how to get it')
  }

  const env = { SSL_CERT_FILE: certificate.path, TOKEN: token, ...hosts.env }
  const go = goAtHome(process.env['PATH'] ?? '', '', env)
  const main = go.newModule()
  const lines = block(README, 'Install') + block(README, 'Private packages')
  const { stderr } = await run('sh', ['-euc', lines], { cwd: main, env: go.env })
  t.match(stderr, `go: added ${HOST}/team/m v1.0.0\n`)
  t.match(stderr, `go: added ${HOST}/secret/m v1.0.0\n`)
  t.same(hosts.askedFor(), [`${HOST}:443`])
  await run(join(go.bin, 'tool'))

  await t.test('a web server of somebody answers for a domain of its own', async (t) => {
    const meta = block(MANUAL, 'A domain of your own', 0, 'html')
    const tls = {
      cert: readFileSync(certificate.path),
      key: readFileSync(certificate.env['PLINTH_TLS_KEY'] ?? ''),
    }
    const site = createServer(tls, (_req, res) => res.end(`<html><head>${meta}</head></html>`))
    site.listen(0, '127.0.0.1')
    await once(site, 'listening')
    t.teardown(() => site.close())
    const both = await nameHosts({ [HOST]: plinth.port, [DOMAIN]: (site.address() as AddressInfo).port })
    t.teardown(both.stop)
    const body = await simpleModule(`${DOMAIN}/m`, 'v1.0.0')
    await plinth.ask('PUT', '/api/packages/team/go/upload', { body, ca: certificate.ca })
    const client = goAtHome(process.env['PATH'] ?? '', '', { ...env, ...both.env, GOPRIVATE: DOMAIN })
    const got = await client.run(['get', `${DOMAIN}/m@latest`], client.newModule())
    t.match(got, { code: 0, stderr: `go: added ${DOMAIN}/m v1.0.0\n` })
    t.same(both.askedFor(), [`${DOMAIN}:443`, `${HOST}:443`])
  })
})
