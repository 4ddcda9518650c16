// The sockets that nginx listens on, where they are files. nginx removes them at its end; one that was killed leaves
// them, and the next one cannot listen where a file has the name.

import { accessSync, constants, lstatSync, rmSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { whyNoConnection } from '../addresses/connection.js'
import type { ListenAddress } from '../addresses/listen-address.js'
import type { Config } from '../config.js'
import { errno, messageOf, StartProblem } from '../errors.js'

/** How long the workers of an nginx that was killed may go on listening, in ms. They are told to stop before. */
const WORKERS_MS = 5000
const POLL_MS = 20

/**
 * Removes the socket that a killed nginx left. Throws a {@link StartProblem} when nginx could not make its own: another
 * program listens there, or what has the name is not a socket of this user.
 */
export async function makeRoomForSocket(
  setting: string,
  address: ListenAddress & { socket: string },
): Promise<void> {
  const { socket, text } = address
  const cannot = (why: string) => new StartProblem(`cannot listen on ${setting}=${text}: ${why}`)
  let status: Stats
  try {
    status = lstatSync(socket)
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw cannot(errno(error) ?? 'it cannot be looked at')
    const problem = folderProblem(dirname(socket))
    if (problem !== undefined) throw cannot(problem)
    return
  }
  if (!status.isSocket()) throw cannot('a file that is no socket has this name')
  if (status.uid !== process.getuid?.()) throw cannot('a socket of another user has this name')
  if (await isHeard(socket))
    throw cannot(`another program listens there; stop it, or set ${setting} to another path`)
  rmSync(socket, { force: true })
}

// nginx makes the socket in it, and removes it.
function folderProblem(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    if (errno(error) === 'ENOENT') return `there is no folder ${folder}`
    return `this user may not make a socket in ${folder}: ${errno(error) ?? messageOf(error)}`
  }
}

/** {@link makeRoomForSocket} for all sockets of an nginx that has ended, when its workers have ended, too. */
export async function clearLeftSockets({ listen, httpListen = [] }: Config): Promise<void> {
  const end = Date.now() + WORKERS_MS
  for (const [setting, addresses] of [
    ['PLINTH_LISTEN', listen],
    ['PLINTH_HTTP_LISTEN', httpListen],
  ] as const)
    for (const address of addresses) {
      if (!('socket' in address)) continue
      while (Date.now() < end && (await isHeard(address.socket)))
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      await makeRoomForSocket(setting, address)
    }
}

/** Whether a program listens on the socket. One that is too busy to take a connection does. */
async function isHeard(path: string): Promise<boolean> {
  const code = await whyNoConnection({ path })
  return code === undefined || !['ECONNREFUSED', 'ENOENT'].includes(code)
}
