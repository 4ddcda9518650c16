#!/usr/bin/env node
// `plinth`: the commands for the machine that serves, and for those that publish. Exit codes: 0 done, 1 refused or
// failed, 2 wrong usage.

import { existsSync, statSync } from 'node:fs'
import { WrongUsage, type Command } from './commands/command.js'
import { COMMAND_NAMES, loadCommand, loadCommands } from './commands/commands.js'
import { print, printError } from './commands/print.js'
import { similarTo } from './commands/similar.js'
import { readConfig, VERSION } from './config.js'
import { errno, messageOf, PLINTH, quote } from './errors.js'
import { becomeOwner } from './store/become-owner.js'
import { readFormat } from './store/format.js'

// Ignore EPIPE: who reads the output may have seen enough. What is under way goes on, and the exit code tells of it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const DATA_NOTE =
  'PLINTH_DATA names the data folder (default ./data). Changes take effect with the next request.'

/** The help for one command. */
const usageOf = (command: Command): string[] => [
  `usage: ${PLINTH} ${command.name} …`,
  '',
  ...command.usage.split('\n'),
  ...(command.anywhere([]) ? [] : ['', DATA_NOTE]),
]

/** The help for all commands. */
const usageOfAll = (commands: readonly Command[]): string[] =>
  `usage: ${PLINTH} COMMAND | help COMMAND | --version

${commands.map(({ usage }) => usage).join('\n\n')}

${DATA_NOTE}
"npm start" runs the server.`.split('\n')

/** The usage of one command, or of all, in one line. */
function shortUsageOf(command: Command | undefined): string {
  if (!command) return `usage: ${PLINTH} COMMAND, one of ${COMMAND_NAMES.join(', ')}, help`
  const [first = ''] = command.usage.trim().split(/ {2,}|\n/)
  const words = command.actions ? `${command.name} ${command.actions.join('|')} …` : first
  return `usage: ${PLINTH} ${words} ("${PLINTH} help ${command.name}" tells more)`
}

function noCommand(name: string): WrongUsage {
  const meant = similarTo(name, COMMAND_NAMES)
  return new WrongUsage(
    `there is no command ${quote(name)}${meant === undefined ? '' : `: did you mean ${meant}?`}`,
  )
}

const isUsageError = (error: unknown): boolean =>
  error instanceof WrongUsage || (errno(error)?.startsWith('ERR_PARSE_ARGS') ?? false)

/**
 * Runs a command on the data folder, as the user to whom it belongs. Refuses a folder of a newer format. Says so when
 * the folder is new: otherwise nobody would notice a forgotten PLINTH_DATA, and the running service reads another one.
 */
async function onDataFolder<T>(run: () => Promise<T>): Promise<T> {
  const { data } = readConfig()
  becomeOwner(data)
  readFormat(data)
  const wasThere = existsSync(data)
  const result = await run().catch((error: unknown) => {
    throw ['EACCES', 'EPERM'].includes(errno(error) ?? '') ? notAllowed(data, error) : error
  })
  if (!wasThere && existsSync(data)) {
    printError(`plinth: there was no data folder, ${data} is new; PLINTH_DATA names another one`)
  }
  return result
}

/** Says whom to run as, where the data folder is another user's. */
function notAllowed(data: string, error: unknown): Error {
  const uid = statSync(data, { throwIfNoEntry: false })?.uid
  const whose =
    uid === undefined || uid === process.getuid?.() ? '' : `, which belongs to the user with the id ${uid}`
  return new Error(
    `${messageOf(error)}\nthis user may not do that in ${data}${whose}: run it as Plinth's user, or as root`,
    { cause: error },
  )
}

/** Prints the help for the command `topic`, or for all. */
async function help(topic: string | undefined): Promise<void> {
  const command = await loadCommand(topic)
  print(command ? usageOf(command) : usageOfAll(await loadCommands()))
}

async function main(): Promise<number> {
  process.umask(0o022)
  const [name, ...words] = process.argv.slice(2)
  try {
    if (name === 'help' || [name, ...words].some((word) => word === '--help' || word === '-h')) {
      const topic = name === 'help' ? words[0] : name
      const isWrong = topic !== undefined && !topic.startsWith('-') && !COMMAND_NAMES.includes(topic)
      if (name === 'help' && isWrong) throw noCommand(topic)
      await help(topic)
      return 0
    }
    if (name === '--version') {
      print([VERSION])
      return 0
    }
    const command = await loadCommand(name)
    if (command?.anywhere(words)) return await command.run(words)
    if (command) return await onDataFolder(() => command.run(words))
    throw name === undefined ? new WrongUsage('a command is missing') : noCommand(name)
  } catch (error) {
    printError(`plinth: ${messageOf(error)}`.split('\n'))
    if (!isUsageError(error)) return 1
    printError(['', shortUsageOf(await loadCommand(name))])
    return 2
  }
}

process.exitCode = await main()
