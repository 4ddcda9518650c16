import { createServer } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { askNginx, parseNginxStatus } from '../../src/metrics/nginx-status.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

// nginx.org/en/docs/http/ngx_http_stub_status_module.html
const PAGE = `Active connections: 291 
server accepts handled requests
 16630948 16630947 31070465 
Reading: 6 Writing: 179 Waiting: 106 
`
const STATUS = {
  connections: { active: 291, reading: 6, writing: 179, waiting: 106 },
  accepted: 16630948,
  handled: 16630947,
  requests: 31070465,
}

t.test('the page of nginx, and pages of others', async (t) => {
  t.same(parseNginxStatus(PAGE), STATUS)
  for (const other of ['', 'x', `${PAGE}x`, PAGE.replace('291', '-1'), PAGE.replace('179', '')])
    t.equal(parseNginxStatus(other), undefined)
})

t.test('one that answers, one that stands still, and none', async (t) => {
  const path = join(tempFolder(), 'sock')
  t.equal(await askNginx(path, '/status'), undefined, 'there is none')
  const server = createServer((req, res) => void (req.url === '/status' && res.end(PAGE))).listen(path)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  let status = await askNginx(path, '/status')
  // an answer that came in time may be read too late where the machine is busy
  await until(async () => (status ??= await askNginx(path, '/status')) !== undefined)
  t.same(status, STATUS)
  t.equal(await askNginx(path, '/silence'), undefined)
})
