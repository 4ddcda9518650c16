// The user of nginx's workers, and what is given to that user's group: what is not public, and the service's socket.

import { execFile } from 'node:child_process'
import { chmodSync, chownSync, existsSync, readdirSync, statSync } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { environment, type Config } from '../config.js'
import { StartProblem } from '../errors.js'
import { folders, packagesFolder } from '../layout.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { admit, admits, mayGiveTo } from '../store/ownership.js'

const run = promisify(execFile)

/** Whom nginx's workers run as on common systems. */
const USUAL_USERS = ['www-data', 'nginx', 'nobody']

/** The user that nginx's workers run as. */
export type WorkerUser = { name: string; group: string; uid: number; gid: number }

/**
 * Chooses the user of nginx's workers when root starts nginx: PLINTH_NGINX_USER, else the first usual user that exists
 * and can enter the data folder, else root with a warning that says what would be better.
 */
export async function chooseUser(
  config: Config,
): Promise<{ user: WorkerUser | undefined; warning?: string }> {
  if (process.getuid?.() !== 0) return { user: undefined }
  if (config.nginxUser !== undefined) return { user: await mustLookUp(config.nginxUser) }
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

/**
 * The user that PLINTH_NGINX_USER names, for a service that somebody else's nginx stands in front of; `undefined`
 * without the setting. Throws a {@link StartProblem} when this process may not give files to that user's group.
 */
export async function workersElsewhere({ nginxUser }: Config): Promise<WorkerUser | undefined> {
  if (nginxUser === undefined) return undefined
  const user = await mustLookUp(nginxUser)
  if (mayGiveTo(user.gid)) return user
  throw new StartProblem(
    `PLINTH_NGINX_USER=${nginxUser}: nginx's workers read what is private as the group ${user.group}, ` +
      `which this user is not in; as root: usermod -a -G ${user.group} USER`,
  )
}

/** Lets the workers write to the socket of the service, which has just made it. */
export function letWorkersConnect({ data, runtime }: Config, { gid }: WorkerUser): void {
  const socket = resolve(data, runtimeFiles(runtime).socket)
  chownSync(socket, statSync(socket).uid, gid)
  chmodSync(socket, 0o660)
}

async function mustLookUp(name: string): Promise<WorkerUser> {
  const user = await lookUp(name)
  if (!user) throw new StartProblem(`PLINTH_NGINX_USER=${name}: there is no such user`)
  return user
}

// 'uid=33(www-data) gid=33(www-data) groups=33(www-data)'; `undefined` when there is no such user
async function lookUp(name: string): Promise<WorkerUser | undefined> {
  const env = { ...environment(), LC_ALL: 'C' }
  const { stdout } = await run('id', [name], { env }).catch(() => ({ stdout: '' }))
  const [, uid, gid, group] = /^uid=(\d+)\S* gid=(\d+)\(([^)]+)\)/.exec(stdout) ?? []
  return group === undefined ? undefined : { name, group, uid: Number(uid), gid: Number(gid) }
}

/** Whether every user of this machine may enter the folder: then those in which it is let them pass, too. */
export const othersMayEnter = (folder: string): boolean =>
  (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || othersMayEnter(dirname(folder)))

/**
 * Lets the workers' group, and no other user, read the files that credentials are checked against, and enter the
 * folders of owners that are not public. Files that are derived later take their group from the folder.
 */
export async function letWorkersRead(config: Config, user: WorkerUser): Promise<void> {
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
