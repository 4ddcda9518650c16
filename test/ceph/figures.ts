// What the shared folder costs, beside the same on a local disk: both in one run, in turn.

import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEdge } from '../support/edge.js'
import { ask, TOKEN } from '../support/http.js'
import { start } from '../support/start.js'
import { simpleModule } from '../support/zips.js'
import type { Cluster } from './cluster.js'
import { SHARED_CACHE_SECONDS } from './member.js'
import { askMachine, GO, PORT, publishTo } from './request.js'
import { STILL_LIST } from './load.js'
import { untilWithin } from './within.js'

const run = promisify(execFile)

/** `goal` says what `value` must be; it is judged when the run is strict. */
export type Figure = { name: string; value: string; goal: string; reached: boolean }

const LOCAL = '127.0.0.1'
const ROUNDS = 3
const PUBLISHES = 40
const READS = 100
const READERS = 8
const CONNECTIONS = 32
const WRK_SECONDS = 5

/** The value below which `share` of `values` are. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

const ms = (values: readonly number[], share: number): string => `${quantile(values, share).toFixed(1)} ms`

/** How long each of `count` publishes of a module took, in ms. */
async function publishes(address: string, module: string, first: number, count: number): Promise<number[]> {
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const zip = await simpleModule(module, `v1.${first + at}.0`)
    const begun = performance.now()
    const { status, text } = await publishTo(address, zip, 60)
    times.push(performance.now() - begun)
    if (status !== 201) throw new Error(`${module} at ${address}: ${status} ${text}`)
  }
  return times
}

async function startLocal(folder: string) {
  const data = join(folder, 'local', 'data')
  mkdirSync(data, { recursive: true })
  const local = start({
    PLINTH_DATA: data,
    PLINTH_LISTEN: `${LOCAL}:${PORT}`,
    PLINTH_ADMIN_TOKEN: TOKEN,
    PLINTH_WRITE_RATE: '0',
  })
  await untilWithin(120, 'the Plinth on a local disk is ready', async () => {
    return (await askMachine(LOCAL, '/-/ready')).status === 200
  })
  return local
}

export async function publishFigures(cluster: Cluster, folder: string): Promise<Figure[]> {
  const { active, other } = await cluster.roles()
  const local = await startLocal(folder)
  const [ours, base, through]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    const first = round * PUBLISHES
    base.push(...(await publishes(LOCAL, 'example.com/figure', first, PUBLISHES)))
    ours.push(...(await publishes(active.address, 'example.com/figure', first, PUBLISHES)))
    through.push(...(await publishes(other.address, 'example.com/figure2', first, PUBLISHES)))
  }
  local.kill('SIGTERM')
  await local.exited
  const ratio = quantile(ours, 0.5) / quantile(base, 0.5)
  return [
    {
      name: 'publish, p50 on CephFS : on the local disk',
      value: `${ratio.toFixed(1)} (${ms(ours, 0.5)} : ${ms(base, 0.5)}; p99 ${ms(ours, 0.99)} : ${ms(base, 0.99)})`,
      goal: '≤ 5',
      reached: ratio <= 5,
    },
    {
      name: 'publish through the machine that stands by',
      value: `p50 ${ms(through, 0.5)}, p99 ${ms(through, 0.99)}`,
      goal: '',
      reached: true,
    },
  ]
}

async function requestsASecond(address: string): Promise<number> {
  const words = [
    '-t',
    '1',
    '-c',
    String(CONNECTIONS),
    '-d',
    `${WRK_SECONDS}s`,
    `http://${address}:${PORT}${STILL_LIST}`,
  ]
  const { stdout } = await run('wrk', words)
  const failed = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1]
  if (failed !== undefined) throw new Error(`${failed} reads at ${address} failed`)
  return Number(/Requests\/sec: +([\d.]+)/.exec(stdout)?.[1])
}

export async function readFigures(cluster: Cluster): Promise<Figure[]> {
  const { active, other } = await cluster.roles()
  const [ofActive, ofOther]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    ofActive.push(await requestsASecond(active.address))
    ofOther.push(await requestsASecond(other.address))
  }
  const ratio = quantile(ofOther, 0.5) / quantile(ofActive, 0.5)
  const each = `${quantile(ofOther, 0.5).toFixed(0)} : ${quantile(ofActive, 0.5).toFixed(0)} a second`
  return [
    {
      name: `reads of a list, the machine that stands by : the active one`,
      value: `${ratio.toFixed(2)} (${each}, ${CONNECTIONS} connections)`,
      goal: '≥ 0.9',
      reached: ratio >= 0.9,
    },
  ]
}

/** Reads of `list` at `address`, each right after a publish at the active machine. */
export async function listFigures(cluster: Cluster): Promise<Figure[]> {
  const { active, other } = await cluster.roles()
  const times: number[] = []
  for (let at = 0; at < READS; at++) {
    await publishes(active.address, 'example.com/figure3', at, 1)
    const begun = performance.now()
    await askMachine(other.address, `${GO}/example.com/figure3/@v/list`, { seconds: 60 })
    times.push(performance.now() - begun)
  }
  return [
    {
      name: 'first read of a list on the other machine after a 201',
      value: `p50 ${ms(times, 0.5)}, p99 ${ms(times, 0.99)}`,
      goal: '',
      reached: true,
    },
  ]
}

/** Reads of `list` through an edge in front of the other machine, by several clients, while the active one publishes. */
export async function edgeFigures(cluster: Cluster): Promise<Figure[]> {
  const { active, other } = await cluster.roles()
  const module = 'example.com/figure4'
  await publishes(active.address, module, 0, 1)
  const edge = await startEdge(`${other.address}:${PORT}`)
  const times: number[] = []
  const publishing = new AbortController()
  const read = async (): Promise<void> => {
    while (!publishing.signal.aborted) {
      const begun = performance.now()
      const { status } = await ask(edge.port, 'GET', `${GO}/${module}/@v/list`)
      times.push(performance.now() - begun)
      if (status !== 200) throw new Error(`a read through the edge: ${status}`)
    }
  }
  const publish = publishes(active.address, module, 1, READS).finally(() => publishing.abort())
  try {
    await Promise.all([publish, ...Array.from({ length: READERS }, read)])
  } finally {
    await edge.stop()
  }
  const p99 = quantile(times, 0.99)
  return [
    {
      name: `a list through an edge before the other machine, ${SHARED_CACHE_SECONDS} s kept, ${READERS} readers beside publishes`,
      value: `p50 ${ms(times, 0.5)}, p99 ${ms(times, 0.99)} of ${times.length}`,
      goal: '< 50 ms (p99)',
      reached: p99 < 50,
    },
  ]
}
