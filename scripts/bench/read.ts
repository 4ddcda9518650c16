// Reads through the shipped nginx.conf, against an nginx without rules on the same tree.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AUTH } from '../../test/support/http.js'
import { startPlinth } from '../../test/support/plinth.js'
import { simpleModule } from '../../test/support/zips.js'
import { DEFAULT_RUNTIME, runtimeFiles } from '../../src/settings/runtime-files.js'
import { startBareNginx, userOf } from './bare-nginx.js'
import { childrenSeconds, pin, pinned } from './processes.js'
import { inTurns, type Bench, type Row, type Scale } from './row.js'

const CONNECTIONS = 32
/** The processor on which nginx answers. */
export const WORKERS_ON = 0
const LOAD_ON = 1

/** An nginx that is asked: where it listens, and the process whose children answer. */
type Asked = { port: number; pid: number }

/** Requests that were answered, a second and a second of nginx's processor time. */
type Rates = { wall: number; processor: number }

/** Asks for `path` for a second; throws when one of the answers is not a 200. */
export async function measure({ port, pid }: Asked, path: string, authorization?: string): Promise<Rates> {
  const url = `http://127.0.0.1:${port}${path}`
  const header = authorization === undefined ? [] : ['-H', `Authorization: ${authorization}`]
  const args = ['-t1', `-c${CONNECTIONS}`, '-d1s', ...header, url]
  const before = childrenSeconds(pid)
  const { stdout } = await promisify(execFile)(...pinned(LOAD_ON, 'wrk', args))
  const used = childrenSeconds(pid) - before
  const [, requests] = /(\d+) requests in/.exec(stdout) ?? []
  const [, wall] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? []
  if (requests === undefined || wall === undefined || /Non-2xx|Socket errors/.test(stdout))
    throw new Error(`wrk ${url}:\n${stdout}`)
  return { wall: Number(wall), processor: Number(requests) / used }
}

/** Two owners with the same packages, one of them private. */
async function fill() {
  const plinth = await startPlinth()
  plinth.cli('owner', 'add', 'secret', '--private')
  for (const owner of ['admin', 'secret']) {
    for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0']) {
      const { status } = await plinth.publish(await simpleModule('example.com/m', version), owner)
      if (status !== 201) throw new Error(`the module of the benchmark was answered with ${status}`)
    }
    for (const [name, bytes] of [
      ['100kB', 100_000],
      ['10MB', 10_000_000],
    ] as const) {
      const path = `/api/packages/${owner}/generic/file/1/${name}`
      const { status } = await plinth.ask('PUT', path, { body: Buffer.alloc(bytes, 'plinth') })
      if (status !== 201) throw new Error(`${path} was answered with ${status}`)
    }
  }
  await plinth.viewsFollowed()
  const bare = await startBareNginx(join(plinth.data, 'tree'), userOf(plinth.data))
  const ours = {
    port: plinth.port,
    pid: Number(readFileSync(join(plinth.data, runtimeFiles(DEFAULT_RUNTIME).nginxPid), 'utf8')),
  }
  for (const { pid } of [ours, bare]) pin(pid, WORKERS_ON)
  return { plinth, ours, bare }
}

type What = { name: string; path: string; page?: string }

/** Paths below the owner's folder; a page has another address at Plinth, below the owner's page. */
const READS: What[] = [
  { name: 'list', path: 'go/example.com/m/@v/list' },
  { name: '.info', path: 'go/example.com/m/@v/v1.1.0.info' },
  { name: '@latest', path: 'go/example.com/m/@latest' },
  { name: '100 kB file', path: 'generic/file/1/100kB' },
  { name: '10 MB file', path: 'generic/file/1/10MB' },
  { name: "a module's page", path: '-/go/example.com/m/@/index.html', page: 'go/example.com/m' },
  { name: "an owner's page", path: '-/index.html', page: '' },
  { name: "a module's JSON", path: '-/go/example.com/m/@/index.json' },
  { name: "an owner's JSON", path: '-/index.json' },
]

const addressOf = (owner: string, { path, page }: What): string =>
  page === undefined ? `/api/packages/${owner}/${path}` : `/${owner}/${page}`

/**
 * The processor time is what a request costs nginx, whatever else the machine does; on one that does nothing else,
 * both say the same.
 */
function* rowsOf(name: string, { open, bare, closed }: Record<'open' | 'bare' | 'closed', Rates[]>) {
  const small = !name.endsWith('B file')
  for (const [unit, how, field] of [
    ['/s', '', 'wall'],
    ['/s', ", by the second of nginx's processor time", 'processor'],
  ] as const) {
    if (field === 'processor' && !small) continue
    const of = (rates: Rates[]): number[] => rates.map((rate) => rate[field])
    const beside = { unit, base: of(bare), baseName: 'nginx with root alone' }
    yield { ...beside, name: `public read, ${name}${how}`, ours: of(open), goal: '≥ 0.95' }
    yield { ...beside, name: `private read, ${name}${how}`, ours: of(closed), goal: '≥ 0.65' }
    if (field === 'processor') continue
    const alone = { unit, ours: of(closed), base: of(open), baseName: 'the same, public' }
    yield { ...alone, name: `private against public read, ${name}` }
  }
}

export const read: Bench = {
  name: 'read',
  what: 'reads of public and private packages with wrk, against nginx with `root` alone',
  needs: ['nginx', 'wrk'],
  async *run({ rounds }: Scale): AsyncGenerator<Row> {
    const { plinth, ours, bare } = await fill()
    for (const what of READS) {
      const found = await inTurns(rounds(9), {
        open: () => measure(ours, addressOf('admin', what)),
        bare: () => measure(bare, `/api/packages/admin/${what.path}`),
        closed: () => measure(ours, addressOf('secret', what), AUTH),
      })
      yield* rowsOf(what.name, found)
    }
    await bare.stop()
    await plinth.stop()
  },
}
