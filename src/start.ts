// `npm start`: nginx and the service in the foreground. Ends when it is told to; SIGUSR2 restarts the service alone.

import { readConfig, unknownSettings } from './config.js'
import { messageOf, StartProblem } from './errors.js'
import { checkTls } from './nginx/certificate.js'
import { Signals } from './service/signals.js'
import { Supervisor } from './service/supervisor.js'
import { complain, warn } from './service/terminal.js'
import { mustBeWritable } from './store/data-folder.js'

// Ignore EPIPE: a closed terminal or pipe must not end what is served.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

async function main(): Promise<number> {
  process.umask(0o022) // nginx's workers read the tree
  const signals = new Signals()
  const config = readConfig()
  for (const name of unknownSettings()) warn(`${name} is not a setting of plinth`)
  warn(checkTls(config))
  mustBeWritable(config.data)
  process.chdir(config.data)
  const { code } = await new Supervisor(config, signals).run()
  return code
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    complain(error instanceof StartProblem ? error.message : `cannot start: ${messageOf(error)}`)
    process.exit(1)
  },
)
