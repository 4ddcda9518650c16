// What nginx reads and how it is started: a link to the shipped nginx.conf, unedited, and beside it the four small
// files of conf-parts.ts that nginx.conf includes.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.js'
import { quote, StartProblem } from '../errors.js'
import { folders, packagesFolder } from '../layout.js'
import { nginxParts } from './conf-parts.js'
import { openFiles } from './open-files.js'
import { makeRefusedLog } from './refused-log.js'

const SHIPPED_CONF = fileURLToPath(new URL('../../../nginx.conf', import.meta.url))

/** From this version on nginx takes `-e`, the log that it writes to before it has read its configuration. */
const EARLY_LOG_OPTION = 1_019_005

/** The user that nginx's workers run as. */
type WorkerUser = { name: string; group: string; uid: number; gid: number }

/**
 * How to start nginx in the data folder. `user` is the user of the workers; it is `undefined` when nginx is not started
 * by root and has no choice.
 */
export type NginxPlan = { program: string; args: string[]; user: WorkerUser | undefined; warning?: string }

/** Writes what nginx reads and returns how to start it. Throws a {@link StartProblem} when there is no nginx. */
export function planNginx(config: Config): NginxPlan {
  const folder = join(config.data, folders.nginx)
  mkdirSync(folder, { recursive: true })
  const choice = chooseUser(config)
  const conf = join(folder, 'nginx.conf')
  rmSync(conf, { force: true })
  symlinkSync(SHIPPED_CONF, conf)
  const version = nginxVersion(config.nginx)
  const limit = openFiles()
  const machine = { version, user: choice.user, files: limit.files }
  for (const [name, text] of Object.entries(nginxParts(config, machine)))
    writeFileSync(join(folder, name), text)
  if (choice.user) letWorkersRead(config, choice.user)
  makeRefusedLog(config.data)
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
  const warning = [choice.warning, limit.warning].filter((text) => text !== undefined).join('; and ')
  return { program: config.nginx, args, user: choice.user, ...(warning && { warning }) }
}

// 'nginx version: nginx/1.22.1' → 1022001
function nginxVersion(program: string): number {
  let text: string
  try {
    text = execFileSync('/bin/sh', ['-c', '"$0" -v 2>&1', program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    throw new StartProblem(
      `there is no nginx at ${quote(program)}: install it, or set PLINTH_NGINX to its path`,
    )
  }
  const [, major, minor, patch] = /\/(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []
  return Number(major ?? 0) * 1_000_000 + Number(minor ?? 0) * 1000 + Number(patch ?? 0)
}

/**
 * Chooses the user of nginx's workers when root starts nginx: PLINTH_NGINX_USER, else the first usual user that exists
 * and can enter the data folder, else root with a warning that says what would be better.
 */
function chooseUser(config: Config): { user: WorkerUser | undefined; warning?: string } {
  if (process.getuid?.() !== 0) return { user: undefined }
  if (config.nginxUser !== undefined) {
    const user = lookUp(config.nginxUser)
    if (!user) throw new StartProblem(`PLINTH_NGINX_USER=${config.nginxUser}: there is no such user`)
    return { user }
  }
  const user = ['www-data', 'nginx', 'nobody'].map(lookUp).find((found) => found !== undefined)
  if (user && othersMayEnter(join(config.data, folders.tree))) return { user }
  return {
    user: { name: 'root', group: idOf('-gn', 'root'), uid: 0, gid: 0 },
    warning:
      `nginx's workers run as root, since no other user can enter ${config.data}; ` +
      'set PLINTH_DATA to a folder that others may enter, such as /srv/plinth',
  }
}

function lookUp(name: string): WorkerUser | undefined {
  try {
    return { name, group: idOf('-gn', name), uid: Number(idOf('-u', name)), gid: Number(idOf('-g', name)) }
  } catch {
    return undefined
  }
}

const idOf = (flag: string, name: string): string =>
  execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()

const othersMayEnter = (folder: string): boolean =>
  (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || othersMayEnter(dirname(folder)))

// The files that credentials are checked against are readable by the workers' group and by no other user. Files that
// are derived later take their group from the folder.
function letWorkersRead(config: Config, user: WorkerUser): void {
  const folder = join(config.data, folders.readers)
  const { uid } = statSync(folder)
  for (const name of ['.', ...readdirSync(folder)]) {
    chownSync(join(folder, name), uid, user.gid)
    chmodSync(join(folder, name), name === '.' ? 0o750 : 0o640)
  }
  letWorkersEnter(join(config.data, packagesFolder), user)
}

// The folders of owners that are not public admit the workers' group, too. Those of public owners admit everybody.
function letWorkersEnter(packages: string, { gid }: WorkerUser): void {
  for (const entry of existsSync(packages) ? readdirSync(packages, { withFileTypes: true }) : []) {
    if (!entry.isDirectory()) continue
    const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
    const fd = openSync(join(packages, entry.name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    try {
      const { uid, mode } = fstatSync(fd)
      if ((mode & 0o007) !== 0) continue
      fchownSync(fd, uid, gid)
      fchmodSync(fd, 0o750)
    } finally {
      closeSync(fd)
    }
  }
}
