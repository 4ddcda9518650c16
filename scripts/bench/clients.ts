// Publishing from many clients at once, into one module and into many; and after each 201 list must be right.

import { compareVersions } from '../../src/gomod/semver.js'
import { startPlinth, type Plinth } from '../../test/support/plinth.js'
import { simpleModule } from '../../test/support/zips.js'
import { expecting } from './answers.js'
import { peakOf } from './processes.js'
import { inTurns, type Bench, type Row, type Scale } from './row.js'
import { versionAt } from './tree.js'

/** Throws unless `list` is in order, each version once, with all of `known`, which were answered before. */
async function mustBeListed(plinth: Plinth, module: string, known: readonly string[]): Promise<void> {
  const before = [...known]
  const { body } = await expecting(200, plinth.get(`/api/packages/admin/go/${module}/@v/list`))
  const listed = body.split('\n').slice(0, -1)
  const inOrder = listed.every((version, i) => i === 0 || compareVersions(listed[i - 1] ?? '', version) < 0)
  const there = new Set(listed)
  const missing = before.filter((version) => !there.has(version))
  if (!inOrder || missing.length > 0)
    throw new Error(`list of ${module} is wrong: ${inOrder ? `without ${missing.join(', ')}` : 'no order'}`)
}

/** Publishes `zips` from `clients` clients; resolves with the publishes per second. */
async function publishAll(
  plinth: Plinth,
  clients: number,
  work: readonly { module: string; version: string; zip: Buffer }[],
  published: Map<string, string[]>,
): Promise<number> {
  const left = work.values()
  const start = performance.now()
  const client = async (): Promise<void> => {
    for (const { module, version, zip } of left) {
      await expecting(201, plinth.publish(zip))
      const known = published.get(module) ?? []
      known.push(version)
      published.set(module, known)
      await mustBeListed(plinth, module, known)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return work.length / ((performance.now() - start) / 1000)
}

export const clients: Bench = {
  name: 'clients',
  what: 'publishes per second from 1, 8 and 32 clients; list is read and checked after each',
  needs: ['nginx'],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const plinth = await startPlinth()
    const each = size(64, 32)
    for (const [what, moduleOf] of [
      ['one module', () => 'example.com/one'],
      ['many modules', (n: number) => `example.com/many${n % 32}`],
    ] as const) {
      const published = new Map<string, string[]>()
      let made = 0
      const round = (count: number) => async (): Promise<number> => {
        const work = []
        for (let i = 0; i < each; i++, made++) {
          const at = { module: moduleOf(made), version: versionAt(made) }
          work.push({ ...at, zip: await simpleModule(at.module, at.version) })
        }
        return publishAll(plinth, count, work, published)
      }
      const { one, ...more } = await inTurns(rounds(7), { one: round(1), some: round(8), all: round(32) })
      const beside = { unit: '/s', base: one, baseName: 'one client', ...peakOf(plinth.shimPid()) }
      yield { ...beside, name: `publishes into ${what} from 8 clients`, ours: more.some }
      yield { ...beside, name: `publishes into ${what} from 32 clients`, ours: more.all, goal: '≥ 1' }
    }
    await plinth.stop()
  },
}
