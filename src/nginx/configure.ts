// What nginx reads and how it is started: links to the shipped nginx.conf and to the files of scripts/deploy/nginx,
// unedited, and beside them the small files of conf-parts.ts that these include.

import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ANY_SOCKET } from '../addresses/trusted-proxies.js'
import { environment, type Config } from '../config.js'
import { quote, StartProblem } from '../errors.js'
import { folders, nginxStatusPath, packagesFolder } from '../layout.js'
import { admit, admits } from '../store/ownership.js'
import { nginxParts } from './conf-parts.js'
import { wantsIpv6 } from './listen.js'
import { openFiles } from './open-files.js'
import { makeLogFiles } from './log-files.js'

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

/** Whom nginx's workers run as on common systems. */
const USUAL_USERS = ['www-data', 'nginx', 'nobody']

/** The user that nginx's workers run as. */
type WorkerUser = { name: string; group: string; uid: number; gid: number }

/**
 * How to start nginx in the data folder. `user` is the user of the workers; it is `undefined` when nginx is not started
 * by root and has no choice.
 */
export type NginxPlan = { program: string; args: string[]; user: WorkerUser | undefined; warning?: string }

/** Writes what nginx reads and returns how to start it. Throws a {@link StartProblem} when there is no nginx. */
export async function planNginx(config: Config): Promise<NginxPlan> {
  const folder = join(config.data, folders.nginx)
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
  const machine = { version, user: choice.user, files: limit.files, hasStatus, ipv6 }
  for (const [name, text] of Object.entries(nginxParts(config, machine)))
    writeFileSync(join(folder, name), text)
  if (config.metrics !== undefined) makeRoomForStatus(config.data)
  if (choice.user) await letWorkersRead(config, choice.user)
  makeLogFiles(config)
  // Before its configuration is read, nginx writes to a log file of its own. Older versions cannot be told not to.
  const earlyLog = version >= EARLY_LOG_OPTION ? ['-e', 'stderr'] : []
  const args = [
    '-p',
    `${config.data}/`,
    '-c',
    `${folders.nginx}/nginx.conf`,
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

// nginx does not start where a socket has its name already, and one that was killed leaves its own.
function makeRoomForStatus(data: string): void {
  mkdirSync(join(data, folders.control), { recursive: true, mode: 0o700 })
  rmSync(join(data, nginxStatusPath), { force: true })
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

/**
 * Chooses the user of nginx's workers when root starts nginx: PLINTH_NGINX_USER, else the first usual user that exists
 * and can enter the data folder, else root with a warning that says what would be better.
 */
async function chooseUser(config: Config): Promise<{ user: WorkerUser | undefined; warning?: string }> {
  if (process.getuid?.() !== 0) return { user: undefined }
  if (config.nginxUser !== undefined) {
    const user = await lookUp(config.nginxUser)
    if (!user) throw new StartProblem(`PLINTH_NGINX_USER=${config.nginxUser}: there is no such user`)
    return { user }
  }
  if (othersMayEnter(join(config.data, folders.tree)))
    for (const name of USUAL_USERS) {
      const user = await lookUp(name)
      if (user) return { user }
    }
  return {
    user: await lookUp('root'),
    warning:
      `nginx's workers run as root, since no other user can enter ${config.data}; ` +
      'set PLINTH_DATA to a folder that others may enter, such as /srv/plinth',
  }
}

// 'uid=33(www-data) gid=33(www-data) groups=33(www-data)'; `undefined` when there is no such user
async function lookUp(name: string): Promise<WorkerUser | undefined> {
  const env = { ...environment(), LC_ALL: 'C' }
  const { stdout } = await run('id', [name], { env }).catch(() => ({ stdout: '' }))
  const [, uid, gid, group] = /^uid=(\d+)\S* gid=(\d+)\(([^)]+)\)/.exec(stdout) ?? []
  return group === undefined ? undefined : { name, group, uid: Number(uid), gid: Number(gid) }
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

const othersMayEnter = (folder: string): boolean =>
  (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || othersMayEnter(dirname(folder)))

// The files that credentials are checked against are readable by the workers' group and by no other user. Files that
// are derived later take their group from the folder.
async function letWorkersRead(config: Config, user: WorkerUser): Promise<void> {
  const folder = join(config.data, folders.readers)
  const { uid } = statSync(folder)
  for (const name of ['.', ...readdirSync(folder)]) {
    chownSync(join(folder, name), uid, user.gid)
    chmodSync(join(folder, name), name === '.' ? 0o750 : 0o640)
  }
  await letWorkersEnter(join(config.data, packagesFolder), user)
}

// The folders of owners that are not public admit the workers' group, too. Those of public owners admit everybody.
async function letWorkersEnter(packages: string, { gid }: WorkerUser): Promise<void> {
  const workers = { uid: 0, gid, mode: 0o750 }
  for (const name of existsSync(packages) ? readdirSync(packages) : []) {
    const folder = join(packages, name)
    const status = await lstat(folder)
    const isClosed = status.isDirectory() && (status.mode & 0o007) === 0
    if (isClosed && !admits(status, workers)) await admit(folder, workers)
  }
}
