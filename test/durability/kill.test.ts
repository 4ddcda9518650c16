// kill -9 of the real service while clients publish and delete, again and again: what was acknowledged is there.
//
// PLINTH_TEST_KILL_ROUNDS asks for more rounds than every run of the tests makes.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { simpleModule } from '../support/zips.js'
import { settledViolations } from '../support/invariants.js'
import { askService, newData, runService, type Result } from '../support/service.js'

const ROUNDS = Number(process.env['PLINTH_TEST_KILL_ROUNDS'] ?? 20)
const CLIENTS = 8

/** One thing that a client publishes and deletes: `sure` is what the last answer said, unless none came since. */
type Item = { url: string; upload: string; body: Buffer; path: string; sure: 'there' | 'gone' | 'unknown' }

async function itemsOf(client: number): Promise<Item[]> {
  const items: Item[] = []
  for (const version of ['v1.0.0', 'v1.1.0-rc.1', 'v0.0.0-20191109021931-daa7c04131f5']) {
    // two clients share a module, and meet in its list
    const module = `example.com/m${client % 4}`
    const own = version.startsWith('v1.0.') ? `v1.${client}.0` : version.replace(/^v1\.1/, `v1.${client}`)
    const of = own.startsWith('v0') ? `example.com/own${client}` : module
    items.push({
      url: `/api/packages/admin/go/${of}/@v/${own}`,
      upload: '/api/packages/admin/go/upload',
      body: await simpleModule(of, own),
      path: `tree/api/packages/admin/go/${of}/@v/${own}.zip`,
      sure: 'gone',
    })
  }
  for (const file of ['a', 'b']) {
    const url = `/api/packages/admin/generic/tool/${client % 2}/${file}${client}`
    items.push({ url, upload: url, body: Buffer.from(url), path: `tree${url}`, sure: 'gone' })
  }
  return items
}

t.test(`${ROUNDS} times kill -9 while ${CLIENTS} clients publish and delete`, async (t) => {
  const data = await newData({ fast: true })
  const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, client) => itemsOf(client)))
  const counts = { answered: 0, cut: 0, settled: 0 }
  const wrong: string[] = []
  let onAnswer: () => unknown = () => {}

  async function operate(item: Item): Promise<boolean> {
    const publish = item.sure === 'gone' || (item.sure === 'unknown' && Math.random() < 0.5)
    const before = item.sure
    item.sure = 'unknown'
    let result: Result
    try {
      result = publish
        ? await askService(data, 'PUT', item.upload, item.body)
        : await askService(data, 'DELETE', item.url)
    } catch {
      counts.cut++
      return false
    }
    counts.answered++
    onAnswer()
    const { status } = result
    item.sure = publish ? 'there' : 'gone'
    const expected = publish ? [201] : [204]
    if (before === 'unknown') expected.push(publish ? 409 : 404)
    if (!expected.includes(status)) wrong.push(`${item.url}: ${status} ${result.body} after ${before}`)
    return true
  }

  async function client(items: Item[]): Promise<void> {
    for (;;) {
      const item = items[Math.floor(Math.random() * items.length)]
      if (item && !(await operate(item))) return
    }
  }

  for (let round = 1; round <= ROUNDS && wrong.length === 0; round++) {
    const service = runService(data)
    await service.ready()
    counts.settled += service.log().match(/"event":"settled"/g)?.length ?? 0
    wrong.push(...(await settledViolations(data)).map((problem) => `round ${round}: ${problem}`))
    for (const item of clients.flat()) {
      const there = existsSync(join(data, item.path))
      if ((item.sure === 'there' && !there) || (item.sure === 'gone' && there))
        wrong.push(`round ${round}: ${item.path} was acknowledged as ${item.sure}`)
      if (there && !readFileSync(join(data, item.path)).equals(item.body))
        wrong.push(`round ${round}: ${item.path} has other bytes`)
    }
    if (wrong.length > 0) break
    const until = counts.answered + 1 + Math.floor(Math.random() * 40)
    const working = clients.map(client)
    // after the answer to one client the others are anywhere within their operations
    const enough = new Promise<void>((resolve) => {
      onAnswer = () => counts.answered >= until && resolve()
    })
    await Promise.race([enough, Promise.all(working)])
    await service.end('SIGKILL')
    await Promise.all(working)
  }
  const last = runService(data)
  await last.ready()
  wrong.push(...(await settledViolations(data)))
  await last.end('SIGTERM')
  t.same(wrong, [])
  t.comment(
    `${ROUNDS} rounds: ${counts.answered} operations answered, ${counts.cut} cut off, ${counts.settled} settled by recovery`,
  )
  t.ok(counts.cut > 0)
})
