// Many at once on one thing: one wins, and what is read after an answer agrees with it.

import { execFile } from 'node:child_process'
import t from 'tap'
import { simpleModule } from '../support/zips.js'
import { settledViolations } from '../support/invariants.js'
import { CLI, plainNode } from '../support/cli.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { askService, newData, runService } from '../support/service.js'

t.test('1,000 racers on one version: one 201', async (t) => {
  const data = await newData({ fast: true })
  const service = runService(data, { PLINTH_MAX_UPLOADS: '4000' })
  t.teardown(() => service.end())
  await service.ready()
  const zip = await simpleModule('example.com/m', 'v1.0.0')
  const statuses = await Promise.all(
    Array.from(
      { length: 1000 },
      async () => (await askService(data, 'PUT', '/api/packages/admin/go/upload', zip)).status,
    ),
  )
  t.equal(statuses.filter((status) => status === 201).length, 1)
  t.equal(statuses.filter((status) => status === 409).length, 999)
  t.same(await settledViolations(data), [])
})

t.test('publishers, deleters and rebuild on one module, 800 operations', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const WORKERS = 10
  const EACH = 80
  const wrong: string[] = []
  const counts = { operations: 0, rebuilds: 0 }
  const all = WORKERS * EACH

  const list = async (): Promise<string[]> =>
    (await plinth.get('/api/packages/admin/go/example.com/m/@v/list')).body.split('\n')

  // each worker has a version of its own: after its answer nobody else changes that line
  async function work(worker: number): Promise<void> {
    const version = `v1.${worker}.0`
    const zip = await simpleModule('example.com/m', version)
    for (let round = 0; round < EACH; round++) {
      const publish = round % 2 === 0
      const answer = publish
        ? await plinth.publish(zip)
        : await plinth.ask('DELETE', `/api/packages/admin/go/example.com/m/@v/${version}`)
      if (answer.status !== (publish ? 201 : 204)) wrong.push(`${version}: ${answer.status} ${answer.body}`)
      if ((await list()).includes(version) !== publish)
        wrong.push(`${version}: list is old after ${answer.status}`)
      counts.operations++
    }
  }

  const [program, args] = plainNode(CLI, 'rebuild', '--owner', 'admin', '--module', 'example.com/m')
  async function rebuilds(): Promise<void> {
    while (counts.operations < all) {
      const output = await new Promise<string>((resolve) =>
        execFile(program, args, { env: { ...process.env, PLINTH_DATA: plinth.data } }, (error, out, err) =>
          resolve(error ? `${out}${err}` : out),
        ),
      )
      if (!/: 0 mended, 0 uploads recorded, 0 left/.test(output)) wrong.push(output)
      counts.rebuilds++
    }
  }
  const rebuilding = rebuilds()
  await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)))
  await rebuilding
  t.comment(`${counts.operations} operations, ${counts.rebuilds} rebuilds beside them`)
  t.same(wrong, [])
  t.same(await settledViolations(plinth.data), [])
})
