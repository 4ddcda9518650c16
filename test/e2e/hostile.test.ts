// Paths that try to leave their place, in every position, on write, read and delete.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { simpleModule } from '../support/zips.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'

const DOTS = [
  '..',
  '.',
  '%2e%2e',
  '%2E%2E',
  '.%2e',
  '%2e',
  '..%2f..',
  '%2e%2e%2f%2e%2e',
  '..%5c..',
  '..\\..',
  '%252e%252e',
  '%252e%252e%252f',
  '..%00',
  '%00',
  'x%00y',
  '..;',
  '%c0%ae%c0%ae',
  '%c0%af',
  '~root',
  '%2fetc%2fpasswd',
  '//etc',
  '%0d%0aX: y',
  '..%2faccess',
  '%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2faccess%2faccounts%2fadmin.json',
]

/** Everything below `folder` with size and content: what must not change. */
function snapshot(folder: string, skip: RegExp): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (skip.test(name)) continue
    const path = join(folder, name)
    const status = statSync(path)
    if (status.isFile()) found[name] = readFileSync(path, 'latin1')
    else if (status.isDirectory()) found[name] = 'folder'
  }
  return found
}

t.test('hostile paths', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const { ask } = plinth
  t.equal((await plinth.publish(await simpleModule('example.com/m', 'v1.0.0'), 'team')).status, 201)
  t.equal((await ask('PUT', '/api/packages/team/generic/tool/1.0/x', { body: 'precious' })).status, 201)
  t.equal((await ask('PUT', '/api/packages/admin/generic/tool/1.0/x', { body: 'mine' })).status, 201)
  mkdirSync(join(plinth.data, 'secret'))
  writeFileSync(join(plinth.data, 'secret/file'), 'top secret')
  // What may change: admin's own packages, views, which follow, and files of the running service
  const own = /^tree\/api\/packages\/admin\/generic|\/-(?:\/|$)|^state/
  const before = snapshot(plinth.data, own)
  const outside = readdirSync(join(plinth.data, '..')).sort()

  const positions = (dots: string): string[] => [
    `/api/packages/${dots}/generic/tool/1.0/x`,
    `/api/packages/${dots}/go/upload`,
    `/api/packages/admin/${dots}/generic/tool/1.0/x`,
    `/api/packages/admin/generic/${dots}/1.0/x`,
    `/api/packages/admin/generic/tool/${dots}/x`,
    `/api/packages/admin/generic/tool/1.0/${dots}`,
    `/api/packages/admin/generic/tool/${dots}`,
    `/api/packages/admin/generic/tool/1.0/${dots}/${dots}/${dots}/team/generic/tool/1.0/x`,
    `/api/packages/admin/go/${dots}/@v/v1.0.0`,
    `/api/packages/admin/go/${dots}/team/go/example.com/m/@v/v1.0.0`,
    `/api/packages/admin/go/example.com/m/@v/${dots}`,
    `/${dots}/${dots}/access/accounts/admin.json`,
    `/${dots}/secret/file`,
    `/api/packages/admin/generic/${dots}/${dots}/${dots}/${dots}/${dots}/secret/file`,
  ]
  const touchesOthers = (path: string): boolean => {
    // nginx and every client agree on what `..` means; a path that plainly names team's file may read it
    const plain = new URL(`http://x${path.replaceAll('\\', '%5c')}`).pathname
    return plain.startsWith('/api/packages/team/')
  }

  for (const dots of DOTS) {
    for (const path of positions(dots)) {
      const put = await ask('PUT', path, { body: 'evil' }).catch((error: Error) => error)
      const remove = await ask('DELETE', path).catch((error: Error) => error)
      const get = await ask('GET', path, { auth: false }).catch((error: Error) => error)
      for (const answer of [put, remove, get]) {
        if (answer instanceof Error) continue // not sent at all, or the connection was closed: nothing was answered
        t.not(answer.status, 500, path)
        t.notMatch(answer.body, /secret|salt|sha256":/, path)
        t.notMatch(answer.body, plinth.data, `${path}: no server path`)
      }
      if (!(get instanceof Error) && get.status === 200 && !touchesOthers(path))
        t.not(get.body, 'precious', path)
    }
  }
  t.same(snapshot(plinth.data, own), before, 'nothing outside of the package itself has changed')
  t.same(readdirSync(join(plinth.data, '..')).sort(), outside)
  await plinth.viewsFollowed()
  t.same(plinth.leftovers(), [])

  await t.test('what is served is the tree and nothing else', async (t) => {
    for (const path of [
      '/access/accounts/admin.json',
      '/state/nginx/nginx.conf',
      '/tree/api/packages/admin',
      '/secret/file',
      '/.plinth',
    ]) {
      // the page of an owner of this name, which is not there, or no path at all
      t.ok([401, 404].includes((await plinth.get(path)).status), path)
    }
  })

  await t.test('a name that is percent-encoded twice is that name, once decoded', async (t) => {
    const path = '/api/packages/admin/generic/twice/%252e%252e/%252e%252e'
    t.equal((await ask('PUT', path, { body: 'x' })).status, 201)
    t.ok(readdirSync(join(plinth.data, 'tree/api/packages/admin/generic/twice/')).includes('%2e%2e'))
    t.equal((await plinth.get(path)).body, 'x')
    t.equal((await ask('DELETE', path)).status, 204)
  })
})
