// The requests of Woodpecker's plugin that publishes Go modules to Gitea, one after the other: it asks for the version of
// the server and of the package, then uploads; what is there already it skips, or deletes and uploads again.

import t from 'tap'
import { TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { moduleZip } from '../support/zips.js'

const MODULE = 'example.com/Acme/tool'
const VERSION = 'v1.2.0'

t.test('the plugin publishes, skips, and overwrites', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(() => plinth.stop())
  const auth = `token ${TOKEN}`
  const path = `/api/v1/packages/team/go/${encodeURIComponent(MODULE)}/${encodeURIComponent(VERSION)}`
  const get = (address: string) => plinth.ask('GET', address, { auth })
  const upload = async (source: string) => {
    const body = await moduleZip(MODULE, VERSION, { 'go.mod': `module ${MODULE}\n`, 'm.go': source })
    return plinth.ask('PUT', '/api/packages/team/go/upload', { body, auth })
  }

  const { version } = JSON.parse((await get('/api/v1/version')).body) as { version: string }
  t.match(version, /^1\.\d+\.\d+$/, 'the SDK compares it')
  t.equal((await get(path)).status, 404, 'not published yet')
  t.equal((await upload('package m\n')).status, 201)

  const there = await get(path)
  t.equal(there.status, 200, 'a second run finds it, to fail or to skip')
  const found = JSON.parse(there.body) as { html_url: string }
  t.match(found, {
    id: Number,
    type: 'go',
    name: MODULE,
    version: VERSION,
    creator: { login: 'team' },
    owner: { login: 'team' },
    repository: null,
  })
  t.equal((await upload('package m // other\n')).status, 409, 'nothing is replaced')

  t.equal((await plinth.ask('DELETE', path, { auth })).status, 204, 'a run that overwrites')
  t.equal((await plinth.ask('DELETE', path, { auth })).status, 404)
  t.equal((await upload('package m // other\n')).status, 201)
  // the address that it tells, and that of the answer
  for (const page of [
    `/team/-/packages/go/${encodeURIComponent(MODULE)}/${VERSION}`,
    new URL(found.html_url).pathname,
  ]) {
    let answer = await get(page)
    for (let hops = 0; hops < 3 && answer.status >= 300 && answer.status < 400; hops++)
      answer = await get(answer.headers.location ?? '')
    t.equal(answer.status, 200, page)
    t.match(answer.body, MODULE)
  }
})
