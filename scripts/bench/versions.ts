// What it costs to publish the next version of a module that has many.

import { startPlinth } from '../../test/support/plinth.js'
import { simpleModule } from '../../test/support/zips.js'
import { expecting } from './answers.js'
import { forgetPeak, peakOf } from './processes.js'
import { inTurns, timed, type Bench, type Row, type Scale } from './row.js'
import { fillModule, versionAt } from './tree.js'

export const versions: Bench = {
  name: 'versions',
  what: 'publishing into a module that has 1, 1,000 and 10,000 versions',
  needs: ['nginx'],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const plinth = await startPlinth()
    const many = [1, 1000, size(10_000, 2000)]
    const next = new Map(many.map((count) => [count, count]))
    const moduleOf = (count: number): string => `example.com/has${count}`
    for (const count of many)
      await fillModule(plinth.data, { owner: 'admin', module: moduleOf(count) }, count)
    const publishInto = (count: number) => async (): Promise<number> => {
      const n = next.get(count) ?? 0
      next.set(count, n + 1)
      const zip = await simpleModule(moduleOf(count), versionAt(n))
      return timed(() => expecting(201, plinth.publish(zip)))
    }
    forgetPeak(plinth.shimPid())
    const [one = 1, some = 1, all = 1] = many
    const measured = await inTurns(rounds(31), {
      one: publishInto(one),
      some: publishInto(some),
      all: publishInto(all),
    })
    const peak = peakOf(plinth.shimPid())
    for (const count of many) {
      const { body } = await plinth.get(`/api/packages/admin/go/${moduleOf(count)}/@v/list`)
      const listed = body.split('\n').length - 1
      if (listed !== next.get(count)) throw new Error(`list has ${listed} versions of ${next.get(count)}`)
    }
    await plinth.stop()
    const row = (count: number, ours: number[], goal?: string): Row => ({
      name: `publish into a module with ${count.toLocaleString('en')} versions`,
      unit: 'ms',
      ours,
      base: measured.one,
      baseName: 'with one version',
      ...(goal !== undefined && { goal }),
      ...peak,
    })
    yield row(some, measured.some)
    yield row(all, measured.all, '≤ 1.5')
  },
}
