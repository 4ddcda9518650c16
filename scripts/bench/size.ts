// What the number of stored versions costs: starting, publishing and the memory of the service, beside a small tree. And
// how much faster verify is on all processors.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { CLI, plainNode } from '../../test/support/cli.js'
import { askService, newData, runService } from '../../test/support/service.js'
import { simpleModule } from '../../test/support/zips.js'
import { fillTree } from './large-tree.js'
import { forgetPeak, peakOf, residentMb } from './processes.js'
import { inTurns, quantile, timed, type Bench, type Row, type Scale } from './row.js'

async function treeOf(versions: number): Promise<string> {
  const data = await newData()
  await fillTree(data, versions)
  return data
}

let made = 0

async function expect201(data: string, path: string, body: Buffer | string): Promise<void> {
  const answer = await askService(data, 'PUT', path, body)
  if (answer.status !== 201) throw new Error(`answered with ${answer.status}: ${answer.body}`)
}

type Started = { ms: number; mb: number }

/** From the start of the service to its first 201, and what is resident then. */
async function startOn(data: string): Promise<Started> {
  const begin = performance.now()
  const service = runService(data)
  await service.ready()
  await expect201(data, `/api/packages/admin/generic/file/${++made}/x`, 'x')
  const ms = performance.now() - begin
  const mb = residentMb(service.pid) ?? NaN
  await service.end('SIGTERM')
  return { ms, mb }
}

async function publishOn(data: string): Promise<number> {
  const zip = await simpleModule(`example.com/new${made % 97}/m${made++}`, 'v1.0.0')
  return timed(() => expect201(data, '/api/packages/admin/go/upload', zip))
}

async function verifyOn(data: string, ...words: string[]): Promise<number> {
  const [program, args] = plainNode(CLI, 'verify', ...words)
  return timed(async () => {
    const child = spawn(program, args, { env: { ...process.env, PLINTH_DATA: data }, stdio: 'ignore' })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`verify ended with ${code}`)
  })
}

function manyVersions(full: number): number {
  const asked = process.env['PLINTH_BENCH_VERSIONS'] ?? String(full)
  if (!/^[1-9]\d{3,7}$/.test(asked)) throw new Error(`PLINTH_BENCH_VERSIONS is ${asked}: a number from 1000`)
  return Number(asked)
}

export const size: Bench = {
  name: 'size',
  what: 'start, publish, memory with 100,000 stored versions (PLINTH_BENCH_VERSIONS) and few; verify in threads',
  needs: [],
  async *run({ rounds, size: sizeOf }: Scale): AsyncGenerator<Row> {
    const [few, many] = [sizeOf(5000, 1000), manyVersions(sizeOf(100_000, 2000))]
    const [small, large] = [await treeOf(few), await treeOf(many)]
    const counted = (n: number): string => `${n.toLocaleString('en')} versions`
    const beside = { baseName: `with ${counted(few)}` }
    const starts = await inTurns(rounds(9), { large: () => startOn(large), small: () => startOn(small) })
    const of = (what: 'ms' | 'mb', all: readonly Started[]): number[] => all.map((one) => one[what])
    const begun = { ours: of('ms', starts.large), base: of('ms', starts.small) }
    yield { ...beside, ...begun, unit: 'ms', name: `start to first 201 with ${counted(many)}`, goal: '≤ 1.2' }
    const held = { ours: of('mb', starts.large), base: of('mb', starts.small) }
    yield { ...beside, ...held, unit: 'MB', name: `memory after it with ${counted(many)}`, goal: '≤ 1.1' }

    const services = [runService(large), runService(small)] as const
    for (const service of services) await service.ready()
    forgetPeak(services[0].pid)
    const published = await inTurns(rounds(101), {
      large: () => publishOn(large),
      small: () => publishOn(small),
    })
    const peak = peakOf(services[0].pid)
    for (const service of services) await service.end('SIGTERM')
    const publish = { ...beside, unit: 'ms', name: `publish a new module beside ${counted(many)}` }
    yield { ...publish, ...peak, ours: published.large, base: published.small, goal: '≤ 1.2' }
    const p99 = (all: readonly number[]): number[] => [quantile(all, 0.99)]
    const slowest = { ours: p99(published.large), base: p99(published.small) }
    yield { ...publish, ...slowest, name: `p99 of these ${published.large.length}` }

    const verified = await inTurns(rounds(3), {
      all: () => verifyOn(small),
      one: () => verifyOn(small, '--jobs', '1'),
    })
    const name = `verify of ${counted(few)} on all processors`
    yield { name, unit: 'ms', ours: verified.all, base: verified.one, baseName: 'with --jobs 1' }
  },
}
