// A file system of several machines may keep a reader waiting: then a worker of nginx waits, and nobody else.

import { cpSync, readdirSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { ask, TOKEN } from '../support/http.js'
import { freePort } from '../support/port.js'
import { mountAgain, unmounting } from '../support/small-file-system.js'
import { start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const PACKAGE = '/api/packages/admin/generic'
/** Fewer than nginx has workers. */
const HELD = 12
const READERS = 6
/** Seconds after which a read does not come any more. The others take some milliseconds. */
const LONG = 60

const copy = tempFolder()
const held = mountAgain(copy, 0)

t.test(
  'a worker that waits keeps nobody else waiting',
  typeof held === 'string' ? { skip: held } : {},
  async (t) => {
    if (typeof held === 'string') return
    const [folder, port] = [tempFolder(), await freePort()]
    const data = join(folder, 'data')
    const run = start({
      PLINTH_DATA: data,
      PLINTH_RUNTIME: join(folder, 'runtime'),
      PLINTH_STANDBY: '1',
      PLINTH_LISTEN: `127.0.0.1:${port}`,
      PLINTH_ADMIN_TOKEN: TOKEN,
      PLINTH_WRITE_RATE: '0',
    })
    t.teardown(async () => {
      run.kill('SIGTERM')
      await run.ended
      held.unmount()
    })
    await run.until(/plinth: serving/)
    const names = Array.from({ length: HELD }, (_, nth) => `file-${nth}`)
    for (const path of ['still/1/x', ...names.map((name) => `slow/1/${name}`)])
      t.equal((await ask(port, 'PUT', `${PACKAGE}/${path}`, { body: path })).status, 201)

    // From here on their folder is on a file system that can be stopped.
    const slow = join(data, 'tree', PACKAGE, 'slow/1')
    cpSync(slow, copy, { recursive: true, preserveTimestamps: true })
    execFileSync('mount', ['--bind', held.folder, slow])
    const unmount = unmounting(slow)
    t.teardown(unmount)
    t.same(readdirSync(slow).sort(), names.toSorted())
    const fuse = Number(
      execFileSync('pgrep', ['-f', `bindfs .* ${held.folder}$`], { encoding: 'utf8' }).split('\n')[0],
    )
    process.kill(fuse, 'SIGSTOP')
    t.teardown(() => process.kill(fuse, 'SIGCONT'))

    let late: string[] = []
    let reads = 0
    const over = new AbortController()
    const read = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const guard = AbortSignal.timeout(LONG * 1000)
        const given = new Promise<'late'>((resolve) => guard.addEventListener('abort', () => resolve('late')))
        const answer = await Promise.race([ask(port, 'GET', `${PACKAGE}/still/1/x`), given])
        reads++
        if (answer === 'late') late = [...late, `read ${reads}`]
        else if (answer.status !== 200) late = [...late, `read ${reads}: ${answer.status}`]
      }
    }
    const readers = Array.from({ length: READERS }, read)
    const answered: string[] = []
    const wait = async (name: string): Promise<number> => {
      const { status } = await ask(port, 'GET', `${PACKAGE}/slow/1/${name}`)
      answered.push(name)
      return status
    }
    const waiting: Promise<number>[] = []
    for (const name of names) {
      waiting.push(wait(name))
      const next = reads + 40
      await until(() => reads >= next || late.length > 0)
    }
    over.abort()
    await Promise.all(readers)
    t.same(late, [], `${reads} reads beside ${HELD} workers that wait`)
    t.same(answered, [], 'all of them still wait')
    process.kill(fuse, 'SIGCONT')
    t.same(
      await Promise.all(waiting),
      names.map(() => 200),
    )
  },
)
