// The service without nginx, asked through its socket, for tests that kill, freeze and trace it. Several services may
// share a data folder.

import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../../src/config.js'
import { firstRun } from '../../src/access/first-run.js'
import { NODE_ENV, NODE_FLAGS } from '../../src/service/node-flags.js'
import { AUTH, TOKEN } from './http.js'
import { memoryFolder, tempFolder } from './temp-folder.js'
import { watch } from './child.js'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

/** A data folder after its first run. `fast` puts it into memory, for tests that no disk takes part in. */
export async function newData({ fast = false } = {}): Promise<string> {
  const data = join(fast ? memoryFolder() : tempFolder(), 'data')
  await firstRun(readConfig({ PLINTH_DATA: data, PLINTH_ADMIN_TOKEN: TOKEN }))
  return data
}

export type Result = { status: number; body: string; headers: Record<string, string | string[] | undefined> }
export type Service = ReturnType<typeof runService>

/** One request to the service on `data`; rejects when nobody answers. */
export const askService = (data: string, method: string, path: string, body?: Buffer | string) =>
  new Promise<Result>((resolve, reject) => {
    const headers = { authorization: AUTH }
    const socketPath = join(data, 'state/shim.sock')
    const req = request({ socketPath, method, path, headers, agent: false }, (res) => {
      let text = ''
      res.on('data', (chunk: Buffer) => (text += chunk.toString()))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body: text, headers: res.headers }))
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end(body)
  })

/** Runs the service on `data`, behind the command `before` if there is one (a tracer), and with `words`. */
export function runService(
  data: string,
  env: Record<string, string> = {},
  before: string[] = [],
  words: string[] = [],
) {
  const command = [...before, process.execPath, ...NODE_FLAGS, MAIN, ...words]
  const child = spawn(command[0] ?? '', command.slice(1), {
    env: { ...NODE_ENV, ...process.env, NODE_OPTIONS: '', PLINTH_DATA: data, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const { output, until, ended } = watch(child)
  const says = async (pattern: RegExp): Promise<void> => void (await until(pattern))
  return {
    pid: child.pid ?? 0,
    log: output,
    says,
    ready: () => says(/"event":"ready"/),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    ended,
    /** Kills it and waits until it is gone. */
    end: async (signal: NodeJS.Signals = 'SIGKILL') => {
      child.kill(signal)
      return await ended
    },
  }
}
