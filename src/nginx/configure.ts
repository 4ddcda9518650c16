// What nginx reads and how it is started: links to the shipped nginx.conf and to the files of scripts/deploy/nginx,
// unedited, and beside them the small files of conf-parts.ts that these include.

import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ANY_SOCKET } from '../addresses/trusted-proxies.js'
import type { Config } from '../config.js'
import { quote, StartProblem } from '../errors.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { nginxParts } from './conf-parts.js'
import { wantsIpv6 } from './listen.js'
import { openFiles } from './open-files.js'
import { makeLogFiles } from './log-files.js'
import { chooseUser, othersMayEnter, type WorkerUser } from './workers.js'

const run = promisify(execFile)

/** The shipped files, by the path of the link to them. */
const SHIPPED = {
  'nginx.conf': 'nginx.conf',
  'plinth/maps.conf': 'scripts/deploy/nginx/maps.conf',
  'plinth/connections.conf': 'scripts/deploy/nginx/connections.conf',
  'plinth/server.conf': 'scripts/deploy/nginx/server.conf',
}

/** From this version on nginx takes `-e`, the log that it writes to before it has read its configuration. */
const EARLY_LOG_OPTION = 1_019_005

/**
 * How to start nginx in the data folder. `user` is the user of the workers; it is `undefined` when nginx is not started
 * by root and has no choice.
 */
export type NginxPlan = { program: string; args: string[]; user: WorkerUser | undefined; warning?: string }

/** Writes what nginx reads and returns how to start it. Throws a {@link StartProblem} when there is no nginx. */
export async function planNginx(config: Config): Promise<NginxPlan> {
  const folder = resolve(config.data, runtimeFiles(config.runtime).nginx)
  mkdirSync(join(folder, 'plinth'), { recursive: true })
  // Each starts a program, and readers wait for nginx: so the programs run beside each other.
  const [choice, { version, modules }, limit, ipv6] = await Promise.all([
    chooseUser(config),
    nginxBuild(config.nginx),
    openFiles(),
    wantsIpv6(config),
  ])
  if (config.trustedProxies.length > 0 && !modules.has('realip'))
    throw new StartProblem(
      `PLINTH_TRUSTED_PROXIES needs an nginx with its realip module, and ${quote(config.nginx)} was built without ` +
        '(nginx -V would name --with-http_realip_module)',
    )
  for (const [name, shipped] of Object.entries(SHIPPED)) {
    const link = join(folder, name)
    rmSync(link, { force: true })
    symlinkSync(fileURLToPath(new URL(`../../../${shipped}`, import.meta.url)), link)
  }
  const hasStatus = modules.has('stub_status')
  const processors = availableParallelism()
  const machine = { version, user: choice.user, files: limit.files, processors, hasStatus, ipv6 }
  for (const [name, text] of Object.entries(nginxParts(config, machine)))
    writeFileSync(join(folder, name), text)
  makeLogFiles(config)
  // Before its configuration is read, nginx writes to a log file of its own. Older versions cannot be told not to.
  const earlyLog = version >= EARLY_LOG_OPTION ? ['-e', 'stderr'] : []
  const args = [
    '-p',
    `${config.data}/`,
    '-c',
    runtimeFiles(config.runtime).nginxConf,
    ...earlyLog,
    '-g',
    'daemon off;',
  ]
  const blind = config.metrics !== undefined && !hasStatus
  const noStatus = blind ? 'this nginx has no stub_status: there are no metrics of nginx' : undefined
  const warning = [choice.warning, limit.warning, noStatus, openSocket(config)]
    .filter((text) => text !== undefined)
    .join('; and ')
  return { program: config.nginx, args, user: choice.user, ...(warning && { warning }) }
}

/** All that nginx reads, as it is written now: another text means that nginx has to load it again. */
export function writtenConfiguration({ data, runtime }: Config): string {
  const folder = resolve(data, runtimeFiles(runtime).nginx)
  // Not deeper: the folders for bodies belong to nginx's workers, who may put anything there.
  const names = ['.', 'plinth'].flatMap((name) =>
    readdirSync(join(folder, name))
      .filter((file) => file.endsWith('.conf'))
      .map((file) => join(name, file)),
  )
  return names
    .sort()
    .map((name) => `# ${name}\n${readFileSync(join(folder, name), 'utf8')}`)
    .join('')
}

// 'nginx version: nginx/1.22.1 … --with-http_realip_module …' → version 1022001, modules {'realip', …}
async function nginxBuild(program: string): Promise<{ version: number; modules: ReadonlySet<string> }> {
  let text: string
  try {
    text = (await run('/bin/sh', ['-c', '"$0" -V 2>&1', program])).stdout
  } catch {
    throw new StartProblem(
      `there is no nginx at ${quote(program)}: install it, or set PLINTH_NGINX to its path`,
    )
  }
  const [, major, minor, patch] = /\/(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []
  const modules = [...text.matchAll(/--with-http_(\w+)_module/g)].map(([, name = '']) => name)
  return {
    version: Number(major ?? 0) * 1_000_000 + Number(minor ?? 0) * 1000 + Number(patch ?? 0),
    modules: new Set(modules),
  }
}

// nginx lets every user connect to its socket (mode 666). The folder decides who comes there.
function openSocket({ listen, trustedProxies }: Config): string | undefined {
  if (!trustedProxies.includes(ANY_SOCKET)) return undefined
  const open = listen.find((address) => 'socket' in address && othersMayEnter(dirname(address.socket)))
  return (
    open &&
    `every user of this machine can connect to ${open.text}, and PLINTH_TRUSTED_PROXIES=${ANY_SOCKET} takes their ` +
      "word for a client's address; put it into a folder that only the proxy may enter"
  )
}
