// The Plinth that is soaked: `npm start` on a data folder of its own, with owners and accounts for good clients and for
// hostile ones.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addAccount } from '../../src/access/accounts.js'
import { firstRun } from '../../src/access/first-run.js'
import { addOwner } from '../../src/access/owners.js'
import { newToken } from '../../src/access/token.js'
import { readConfig } from '../../src/config.js'
import { folders, nginxPidPath } from '../../src/layout.js'
import { Store } from '../../src/store/store.js'
import { isOver, running } from '../../test/support/child.js'
import { plainNode } from '../../test/support/cli.js'
import { freePort } from '../../test/support/port.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { until } from '../../test/support/until.js'
import { forgetPeak } from '../bench/processes.js'
import { LogFile } from './log-file.js'
import { childrenOf, NOTHING, servicePid, together, usageOf } from './processes.js'
import type { Target } from './target.js'
import type { Sample } from './verdict.js'

const START = fileURLToPath(new URL('../../src/start.js', import.meta.url))

/** Accounts that share the upload slots while they are counted. */
const OTHERS = 4

/** The soft limit of open files that most systems give. node raises its own, so nginx is started behind this. */
const NGINX_WITH_USUAL_LIMIT = '#!/bin/sh\nulimit -Sn 1024\nexec nginx "$@"\n'

const basic = (name: string, token: string): string =>
  `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`

type Who = { good: string; reader: string; hostile: string; others: string[] }

/** Owners `good` and `team` are public, `private` is not. Returns the headers of the accounts. */
async function declare(store: Store): Promise<Who> {
  await addOwner(store, { name: 'good', public: true })
  await addOwner(store, { name: 'team', public: true })
  await addOwner(store, { name: 'private', public: false })
  const account = async (name: string, read: string[], write: string[]): Promise<string> => {
    const token = newToken()
    await addAccount(store, name, token, { admin: false, read, write })
    return basic(name, token)
  }
  const others = []
  for (let n = 0; n < OTHERS; n++) others.push(await account(`other${n}`, [], ['team']))
  return {
    good: await account('good', [], ['good', 'private']),
    reader: await account('reader', ['private'], []),
    hostile: await account('hostile', [], ['team']),
    others,
  }
}

/** Starts it. Throws when it cannot be started. */
export async function startSoaked() {
  const folder = tempFolder('plinth-soak')
  const data = join(folder, 'data')
  const nginx = join(folder, 'nginx')
  writeFileSync(nginx, NGINX_WITH_USUAL_LIMIT, { mode: 0o755 })
  const port = await freePort()
  const settings = {
    PLINTH_DATA: data,
    PLINTH_LISTEN: `127.0.0.1:${port}`,
    PLINTH_NGINX: nginx,
    PLINTH_INBOX_SETTLE_SECONDS: '0',
  }
  await firstRun(readConfig(settings))
  const who = await declare(new Store(data))

  const log = new LogFile(join(folder, 'log'))
  const child = spawn(...plainNode(START), {
    env: { ...process.env, ...settings },
    stdio: ['ignore', log.fd, log.fd],
  })
  running.add(child)
  const startPid = child.pid ?? 0
  await until(() => isOver(child) || log.lastLines.includes('plinth: serving'))
  if (isOver(child)) throw new Error(`npm start ended:\n${log.lastLines}`)

  const nginxPid = (): number => {
    try {
      return Number(readFileSync(join(data, nginxPidPath), 'utf8'))
    } catch {
      return 0
    }
  }
  const namesIn = (name: string): number => readdirSync(join(data, name)).length
  // A run that is cut off leaves no process.
  const killAll = (): void => {
    for (const pid of [-nginxPid(), servicePid(startPid) ?? 0, startPid])
      try {
        if (pid !== 0) process.kill(pid, 'SIGKILL')
      } catch {
        // it is gone
      }
  }
  process.once('exit', killAll)

  return {
    data,
    port,
    log,
    good: who.good,
    reader: who.reader,
    target: { port, data, startPid, hostile: who.hostile, others: who.others } satisfies Target,
    servicePid: () => servicePid(startPid),
    isRunning: () => !isOver(child),
    forgetPeaks: () =>
      [servicePid(startPid), ...childrenOf(nginxPid())].forEach((pid) => pid && forgetPeak(pid)),
    /** What everything uses now. */
    sample: (): Sample => ({
      service: usageOf(servicePid(startPid) ?? 0) ?? NOTHING,
      nginx: together(childrenOf(nginxPid()).flatMap((pid) => usageOf(pid) ?? [])),
      start: usageOf(startPid) ?? NOTHING,
      temps: namesIn(folders.tmp),
      entries: namesIn(folders.journal),
    }),
    stop: async (): Promise<void> => {
      child.kill('SIGTERM')
      await until(() => isOver(child), 50)
      running.delete(child)
      killAll()
      process.removeListener('exit', killAll)
      log.close()
    },
  }
}

export type Soaked = Awaited<ReturnType<typeof startSoaked>>
