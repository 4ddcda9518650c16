// Reads through the shipped nginx.conf, against an nginx without rules on the same tree.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AUTH, startPlinth } from '../../test/e2e/harness.js'
import { simpleModule } from '../../test/zips.js'
import { startBareNginx, userOf } from './bare-nginx.js'
import { pin, pinned } from './processes.js'
import { inTurns, type Bench, type Row, type Scale } from './row.js'

const CONNECTIONS = 32
const WORKERS_ON = 0
const LOAD_ON = 1

/** Requests a second that wrk is answered; throws when one of the answers is not a 200. */
async function requestsPerSecond(url: string, authorization?: string): Promise<number> {
  const header = authorization === undefined ? [] : ['-H', `Authorization: ${authorization}`]
  const args = ['-t1', `-c${CONNECTIONS}`, '-d1s', ...header, url]
  const { stdout } = await promisify(execFile)(...pinned(LOAD_ON, 'wrk', args))
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]
  if (rate === undefined || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk ${url}:\n${stdout}`)
  return Number(rate)
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
  const bare = await startBareNginx(join(plinth.data, 'tree'), userOf(plinth.data))
  pin(Number(readFileSync(join(plinth.data, 'state/nginx/nginx.pid'), 'utf8')), WORKERS_ON)
  pin(bare.pid, WORKERS_ON)
  return { plinth, bare }
}

const PATHS: [name: string, path: string][] = [
  ['list', 'go/example.com/m/@v/list'],
  ['.info', 'go/example.com/m/@v/v1.1.0.info'],
  ['@latest', 'go/example.com/m/@latest'],
  ['100 kB file', 'generic/file/1/100kB'],
  ['10 MB file', 'generic/file/1/10MB'],
]

export const read: Bench = {
  name: 'read',
  what: 'reads of public and private packages with wrk, against nginx with `root` alone',
  needs: ['nginx', 'wrk'],
  async *run({ rounds }: Scale): AsyncGenerator<Row> {
    const { plinth, bare } = await fill()
    const url = (port: number, owner: string, path: string): string =>
      `http://127.0.0.1:${port}/api/packages/${owner}/${path}`
    for (const [name, path] of PATHS) {
      const rates = await inTurns(rounds(9), {
        open: () => requestsPerSecond(url(plinth.port, 'admin', path)),
        bare: () => requestsPerSecond(url(bare.port, 'admin', path)),
        closed: () => requestsPerSecond(url(plinth.port, 'secret', path), AUTH),
      })
      const row = { unit: '/s', base: rates.bare, baseName: 'nginx with root alone' }
      yield { ...row, name: `public read, ${name}`, ours: rates.open, goal: '≥ 0.95' }
      yield { ...row, name: `private read, ${name}`, ours: rates.closed, goal: '≥ 0.65' }
      yield {
        ...row,
        name: `private against public read, ${name}`,
        ours: rates.closed,
        base: rates.open,
        baseName: 'the same, public',
      }
    }
    await bare.stop()
    await plinth.stop()
  },
}
