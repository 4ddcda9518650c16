#!/usr/bin/env node
// `plinth`: the commands for the machine that serves, and for those that publish. Exit codes: 0 done, 1 refused or
// failed, 2 wrong usage.

import { existsSync, readFileSync } from 'node:fs'
import { access } from './commands/access.js'
import { account } from './commands/account.js'
import { WrongUsage, type Command } from './commands/command.js'
import { importCommand } from './commands/import.js'
import { owner } from './commands/owner.js'
import { pack } from './commands/pack.js'
import { print, printError } from './commands/print.js'
import { publish } from './commands/publish.js'
import { rebuild } from './commands/rebuild.js'
import { verify } from './commands/verify.js'
import { readConfig } from './config.js'
import { errno, messageOf, PLINTH, quote } from './errors.js'
import { becomeOwner } from './store/become-owner.js'

const COMMANDS: readonly Command[] = [owner, account, access, importCommand, verify, rebuild, pack, publish]

const USAGE = `usage: ${PLINTH} COMMAND | --help | --version

${COMMANDS.map((command) => command.usage).join('\n\n')}

PLINTH_DATA names the data folder (default ./data). Changes take effect with the next request.
"npm start" runs the server.`.split('\n')

/** That of package.json, which lies above build/ in a clone and in an installed package. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version: unknown }).version)
}

const isUsageError = (error: unknown): boolean =>
  error instanceof WrongUsage || (errno(error)?.startsWith('ERR_PARSE_ARGS') ?? false)

/**
 * Runs a command on the data folder, as the user to whom it belongs. Says so when the folder is new: otherwise nobody
 * would notice a forgotten PLINTH_DATA, and the running service reads another folder.
 */
async function onDataFolder<T>(run: () => Promise<T>): Promise<T> {
  const { data } = readConfig()
  becomeOwner(data)
  const wasThere = existsSync(data)
  const result = await run()
  if (!wasThere && existsSync(data)) {
    printError(`plinth: there was no data folder, ${data} is new; PLINTH_DATA names another one`)
  }
  return result
}

async function main(): Promise<number> {
  process.umask(0o022)
  const [name, ...words] = process.argv.slice(2)
  try {
    if (name === 'help' || [name, ...words].some((word) => word === '--help' || word === '-h')) {
      print(USAGE)
      return 0
    }
    if (name === '--version') {
      print([version()])
      return 0
    }
    const command = COMMANDS.find((candidate) => candidate.name === name)
    if (command?.anywhere) return await command.run(words)
    if (command) return await onDataFolder(() => command.run(words))
    throw new WrongUsage(name === undefined ? 'a command is missing' : `there is no command ${quote(name)}`)
  } catch (error) {
    printError(`plinth: ${messageOf(error)}`.split('\n'))
    if (!isUsageError(error)) return 1
    printError(['', ...USAGE])
    return 2
  }
}

process.exitCode = await main()
