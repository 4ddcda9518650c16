// The Plinth that is soaked: `npm start` on a data folder of its own, with owners and accounts for good clients and for
// hostile ones.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { firstRun } from '../../src/access/first-run.js'
import { addOwner } from '../../src/access/owners.js'
import { newToken } from '../../src/access/token.js'
import { readConfig } from '../../src/config.js'
import { folders } from '../../src/layout.js'
import { DEFAULT_RUNTIME, runtimeFiles } from '../../src/settings/runtime-files.js'
import { Store } from '../../src/store/store.js'
import { isOver, running } from '../../test/support/child.js'
import { plainNode } from '../../test/support/cli.js'
import { freePort } from '../../test/support/port.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { until } from '../../test/support/until.js'
import { forgetPeak } from '../bench/processes.js'
import { writeAccount } from './accounts.js'
import { LogFile } from './log-file.js'
import { childrenOf, NOTHING, servicePid, together, usageOf } from './processes.js'
import type { Target } from './target.js'
import type { Sample } from './verdict.js'

const START = fileURLToPath(new URL('../../src/start.js', import.meta.url))

/** Accounts that attack, each in a lane of the mix. */
const HOSTILE = 2
/** As many accounts as upload slots: an account has a share of the slots, and each is sure of one. */
const OTHERS = 256

/** The soft limit of open files that most systems give. node raises its own, so nginx is started behind this. */
const NGINX_WITH_USUAL_LIMIT = '#!/bin/sh\nulimit -Sn 1024\nexec nginx "$@"\n'

type Who = { good: string; reader: string; hostile: string[]; others: string[] }

/** Owners `good` and `team` are public, `private` is not. Returns the headers of the accounts. */
async function declare(data: string): Promise<Who> {
  const store = new Store(data)
  await addOwner(store, { name: 'good', public: true })
  await addOwner(store, { name: 'team', public: true })
  await addOwner(store, { name: 'private', public: false })
  const account = (name: string, read: string[], write: string[]): string =>
    writeAccount(data, name, newToken(), { admin: false, read, write })
  const team = (name: string, count: number): string[] =>
    Array.from({ length: count }, (_, n) => account(`${name}${n}`, [], ['team']))
  return {
    good: account('good', [], ['good', 'private']),
    reader: account('reader', ['private'], []),
    hostile: team('hostile', HOSTILE),
    others: team('other', OTHERS),
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
  const who = await declare(data)

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
      return Number(readFileSync(join(data, runtimeFiles(DEFAULT_RUNTIME).nginxPid), 'utf8'))
    } catch {
      return 0
    }
  }
  const namesIn = (name: string): number => readdirSync(join(data, name)).length
  // A run that is cut off leaves no process. `npm start` goes first: it would start the others again.
  const killAll = (): void => {
    const service = servicePid(startPid) ?? 0
    for (const pid of [startPid, service, -nginxPid()])
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
    /** What attackers of the lane `lane` reach. */
    target: (lane = 0): Target => ({
      port,
      data,
      startPid,
      hostile: who.hostile[lane % HOSTILE] ?? '',
      others: who.others,
    }),
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
