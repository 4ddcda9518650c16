// A page of another site, in the browser of somebody who may write: it can make the browser send a request with the
// credentials that it keeps, but nothing is written.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { needsBrowser } from '../support/browser.js'
import { startBrowsedPlinth } from '../support/browsed-plinth.js'
import { TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

const UPLOAD = '/api/packages/team/go/upload'

t.test('a write that names the site of its page', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(() => plinth.stop())
  const body = await simpleModule('example.com/m', 'v1.0.0')
  const REFUSED: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { origin: plinth.url, 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of REFUSED)
    for (const method of ['POST', 'PUT']) {
      const { status, body: said } = await plinth.ask(method, UPLOAD, { body, headers })
      t.equal(status, 403, JSON.stringify(headers))
      t.match(said, 'a page of another site may not write here')
    }
  t.equal(
    (await plinth.ask('POST', UPLOAD, { body, headers: { origin: plinth.url } })).status,
    201,
    'its own',
  )
  const path = '/api/packages/team/go/example.com/m/@v/v1.0.0'
  const headers = { origin: 'https://evil.example' }
  t.equal((await plinth.ask('DELETE', path, { headers })).status, 403)
  t.equal((await plinth.ask('GET', `${path}.info`, { headers })).status, 200, 'reading goes on')
  t.equal((await plinth.ask('GET', '/api/v1/packages/team', { headers })).status, 200)
})

t.test('in a real browser', needsBrowser(), async (t) => {
  const plinth = await startBrowsedPlinth(t)
  plinth.cli('owner', 'add', 'secret', '--private')
  await plinth.file('secret', 'tool', '1.0', 'a', 'content')
  await plinth.followed()
  const evil = createServer((_req, res) => {
    res.setHeader('Content-Type', 'text/html')
    res.end('<title>evil</title>')
  })
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void evil.close())

  const httpCredentials = { username: 'admin', password: TOKEN }
  const { page } = await plinth.open({ httpCredentials })
  await page.goto(`${plinth.url}/secret/`)
  t.match(await page.content(), 'tool', 'the browser has the credentials')
  await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
  const zip = [...(await simpleModule('example.com/evil', 'v1.0.0'))]
  const before = plinth.log().length
  await page.evaluate(
    async ([url, bytes]) => {
      const form = new FormData()
      form.append('file', new Blob([new Uint8Array(bytes)]))
      for (const body of [form, new Blob([new Uint8Array(bytes)])])
        await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body }).catch(() => {})
    },
    [`${plinth.url}${UPLOAD}`, zip] as const,
  )
  await until(() => plinth.log().slice(before).includes(`"path":"${UPLOAD}"`)) // the requests came
  t.equal(
    (await plinth.get('/api/packages/team/go/example.com/evil/@v/list')).status,
    404,
    'nothing is published',
  )
})
