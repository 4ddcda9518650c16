// `npm start`: nginx and the service in the foreground. Ends when it is told to; SIGUSR2 restarts the service alone.
// Started by a service manager, it tells it how it is, and SIGHUP loads the certificate again.

import { accessSync, constants } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readConfig, unknownSettings } from './config.js'
import { messageOf, StartProblem } from './errors.js'
import { checkTls } from './nginx/certificate.js'
import { ServiceManager } from './service/service-manager.js'
import { Signals } from './service/signals.js'
import { Supervisor } from './service/supervisor.js'
import { complain, warn } from './service/terminal.js'
import { becomeOwner } from './store/become-owner.js'
import { mustBeWritable } from './store/data-folder.js'
import { makeRuntimeFolder } from './store/runtime-folder.js'

// Ignore EPIPE: a closed terminal or pipe must not end what is served.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

// The service is started from this program's files by the user that this process is now.
function mustBeReadable(user: number): void {
  const program = fileURLToPath(import.meta.url)
  try {
    accessSync(program, constants.R_OK)
  } catch {
    throw new StartProblem(
      `user ${user}, to whom the data folder belongs, may not read ${program}: ` +
        'put the program where that user may read it, or give the data folder to root with chown -R',
    )
  }
}

async function main(): Promise<number> {
  process.umask(0o022) // nginx's workers read the tree
  const manager = new ServiceManager()
  const signals = new Signals({ hangupReloads: manager.isThere })
  const config = readConfig()
  for (const name of unknownSettings()) warn(`${name} is not a setting of plinth`)
  const owner = becomeOwner(config.data, config.runtime)
  if (owner !== undefined) {
    warn(`the data folder belongs to user ${owner}: nginx and the service run as that user, not as root`)
    mustBeReadable(owner)
  }
  warn(checkTls(config))
  mustBeWritable(config.data)
  process.chdir(config.data)
  makeRuntimeFolder(config.runtime)
  const { code } = await new Supervisor(config, signals, manager).run()
  return code
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    complain(error instanceof StartProblem ? error.message : `cannot start: ${messageOf(error)}`)
    process.exit(1)
  },
)
