import t from 'tap'
import { Queue } from '../../src/packages/queue.js'

t.test(
  'actions of one key run one after the other, failed ones included; other keys do not wait',
  async (t) => {
    const queue = new Queue()
    const events: string[] = []
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const first = queue.run('a', async () => {
      events.push('first in')
      await gate
      events.push('first out')
      throw new Error('first failed')
    })
    const second = queue.run('a', async () => void events.push('second'))
    await queue.run('b', async () => void events.push('other key'))
    t.same(events, ['first in', 'other key'])
    release()
    await t.rejects(first, { message: 'first failed' })
    await second
    t.same(events, ['first in', 'other key', 'first out', 'second'])
  },
)
