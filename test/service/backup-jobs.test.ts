// What the service does for a backup: it tells what changes, and keeps one package from changing for a moment.

import { join } from 'node:path'
import t from 'tap'
import {
  holdPackage,
  parseHold,
  parseTouched,
  touchedSince,
  watchChanges,
} from '../../src/service/backup-jobs.js'
import { memoryFolder } from '../support/temp-folder.js'
import { openParts } from '../support/parts.js'

const KEY = 'generic admin tool'

/** Parts, and a watch that begins now. */
async function watched() {
  const parts = await openParts(join(memoryFolder(), 'data'))
  const over = new AbortController()
  const events = watchChanges(parts.journal, over.signal)
  const { value } = await events.next()
  const watch = value && 'watch' in value ? value.watch : ''
  t.teardown(() => parts.ownerViews.stop())
  return {
    parts,
    over,
    events,
    watch,
    since: (count: number) => touchedSince(parts.journal, { watch, since: count }),
  }
}

t.test('a watch tells what has changed, and what changed after a count', async (t) => {
  const { parts, over, events, watch, since } = await watched()
  t.same(since(0), { keys: [], count: 0, done: true })
  await parts.publishFile('1.0', 'x', 'x')
  const first = since(0)
  t.same(first.keys, [KEY])
  await parts.publishModule('example.com/m', 'v1.0.0')
  t.same(since(first.count).keys, ['go admin example.com/m'])
  t.same(since(0).keys.sort(), [KEY, 'go admin example.com/m'])
  over.abort()
  t.same(await events.next(), { value: { done: true }, done: false })
  t.same(await events.next(), { value: undefined, done: true })
  t.throws(() => touchedSince(parts.journal, { watch, since: 0 }), { message: 'there is no such watch' })
})

t.test('a change that is under way when the watch begins is told', async (t) => {
  const parts = await openParts(join(memoryFolder(), 'data'))
  t.teardown(() => parts.ownerViews.stop())
  const publishing = parts.journal.alone(KEY, () => parts.publishModule('example.com/m', 'v1.0.0'))
  const { id, end } = parts.journal.watch()
  t.same(parts.journal.watchOf(id)?.since(0).keys, [KEY])
  await publishing
  end()
})

t.test('while a package is held nobody publishes to it, and others do', async (t) => {
  const { parts, watch, since } = await watched()
  const left = new AbortController()
  const holding = holdPackage(parts.journal, { watch, key: KEY }, left.signal)
  const { value } = await holding.next()
  t.match(value, { entries: [], done: false })
  let published = false
  const publishing = parts.publishFile('1.0', 'x', 'x').then(() => (published = true))
  await parts.publishModule('example.com/m', 'v1.0.0')
  t.notOk(published, 'it waits')
  t.notOk(since(0).keys.includes(KEY), 'and has not begun')
  left.abort() // the process that copies has gone
  t.same(await holding.next(), { value: { done: true }, done: false })
  await publishing
  t.ok(since(0).keys.includes(KEY))
})

t.test('who leaves while it waits for a hold holds nothing', async (t) => {
  const { parts, watch } = await watched()
  const left = new AbortController()
  let release = (): void => {}
  const busy = parts.journal.alone(KEY, () => new Promise<void>((resolve) => (release = resolve)))
  const holding = holdPackage(parts.journal, { watch, key: KEY }, left.signal)
  const held = holding.next()
  left.abort()
  await held
  await holding.return(undefined)
  release()
  await busy
  await parts.publishFile('1.0', 'x', 'x')
  t.pass('the queue goes on')
})

t.test('requests that are malformed', async (t) => {
  for (const wrong of [
    {},
    { watch: 1, since: 0, key: 'x' },
    { watch: 'x' },
    { watch: 'x', since: '0', key: 1 },
  ]) {
    t.throws(() => parseTouched(wrong), JSON.stringify(wrong))
    t.throws(() => parseHold(wrong), JSON.stringify(wrong))
  }
})
