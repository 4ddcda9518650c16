// The files that an nginx of somebody else's includes: the shipped rules, and the small files that follow from the
// settings. They are copies in a folder of root's, since the root of that nginx must not read a configuration, or
// open a log, that the service's user can exchange.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MAX_SOCKET_PATH_BYTES } from '../addresses/local-address.js'
import type { Config } from '../config.js'
import { StartProblem } from '../errors.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { nginxParts } from './conf-parts.js'

/** The folder that the shipped files name: it is beside nginx's configuration. */
export const INCLUDE_FOLDER = 'plinth'

const SHIPPED = ['maps.conf', 'server.conf', 'connections.conf']

/** What that nginx has of its own: where it listens. */
const ITS_OWN = ['listen.conf', 'redirect.conf']

/** Where that nginx logs all requests. Its master opens the file as root, so it is none of the data folder. */
export const accessLogElsewhere = ({ accessLog }: Config): string | undefined =>
  accessLog === 'own' ? undefined : accessLog

/**
 * The texts of the files, by name. `refusedLog` is where nginx logs refused credentials. Throws a {@link StartProblem}
 * when the path of the service's socket is too long for an nginx that has another working directory.
 */
export function includeFiles(config: Config, refusedLog: string): Record<string, string> {
  const runtime = resolve(config.data, config.runtime)
  const { socket } = runtimeFiles(runtime)
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES)
    throw new StartProblem(
      `${socket} is too long: nginx reaches a socket by a path of at most ${MAX_SOCKET_PATH_BYTES} bytes; ` +
        'set PLINTH_DATA or PLINTH_RUNTIME to a shorter one',
    )
  // of an nginx of our own
  const machine = { version: 0, user: undefined, files: 0, processors: 0, hasStatus: false, ipv6: false }
  const its = { ...config, accessLog: accessLogElsewhere(config) }
  const parts = Object.entries(nginxParts(its, machine, runtime, refusedLog)).flatMap(([path, text]) => {
    const [folder, name = ''] = path.split('/')
    return folder === INCLUDE_FOLDER && !ITS_OWN.includes(name) ? [[name, text] as const] : []
  })
  const shipped = SHIPPED.map((name) => {
    const path = fileURLToPath(new URL(`../../../scripts/deploy/nginx/${name}`, import.meta.url))
    return [name, readFileSync(path, 'utf8')] as const
  })
  return Object.fromEntries([...shipped, ...parts])
}
