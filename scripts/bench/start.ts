// Starting beside many stored versions: until the first upload is accepted, and what memory that takes.

import { askService, newData, runService } from '../../test/support/service.js'
import { residentMb } from './processes.js'
import { inTurns, type Bench, type Row, type Scale } from './row.js'
import { fillModule } from './tree.js'

const VERSIONS_OF_EACH = 100

async function dataWith(versions: number): Promise<string> {
  const data = await newData()
  for (let n = 0; n < versions; n += VERSIONS_OF_EACH) {
    const module = { owner: 'admin', module: `example.com/group${n % 97}/m${n}` }
    await fillModule(data, module, Math.min(VERSIONS_OF_EACH, versions - n))
  }
  return data
}

type Started = { ms: number; mb: number }

export const start: Bench = {
  name: 'start',
  what: 'from starting the service to its first 201, with 1, 10,000 and 100,000 stored versions',
  needs: [],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const many = [1, size(10_000, 100), size(100_000, 1000)]
    let uploads = 0
    const contestant = async (versions: number): Promise<() => Promise<Started>> => {
      const data = await dataWith(versions)
      return async () => {
        const path = `/api/packages/admin/generic/file/${++uploads}/x`
        const begin = performance.now()
        const service = runService(data)
        await service.ready()
        const { status, body } = await askService(data, 'PUT', path, 'x')
        const ms = performance.now() - begin
        if (status !== 201) throw new Error(`the first upload was answered with ${status}: ${body}`)
        const mb = residentMb(service.pid) ?? NaN
        await service.end('SIGTERM')
        return { ms, mb }
      }
    }
    const [one = 1, some = 1, all = 1] = many
    const found = await inTurns(rounds(9), {
      one: await contestant(one),
      some: await contestant(some),
      all: await contestant(all),
    })
    const row = (unit: 'ms' | 'MB', what: string, count: number, ours: Started[], goal?: string): Row => {
      const of = (all: Started[]): number[] => all.map(({ ms, mb }) => (unit === 'ms' ? ms : mb))
      const name = `${what} with ${count.toLocaleString('en')} versions`
      const base = { base: of(found.one), baseName: 'with one version' }
      return { name, unit, ours: of(ours), ...base, ...(goal !== undefined && { goal }) }
    }
    yield row('ms', 'start to first accepted upload', some, found.some)
    yield row('ms', 'start to first accepted upload', all, found.all, '< 500 ms')
    yield row('MB', 'memory after it', all, found.all, '< 120 MB')
  },
}
