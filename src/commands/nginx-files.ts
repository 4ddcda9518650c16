// `plinth nginx-files`: writes what an nginx that serves other sites, too, includes to serve Plinth.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readConfig } from '../config.js'
import { errno, messageOf, quote } from '../errors.js'
import { accessLogElsewhere, INCLUDE_FOLDER, includeFiles } from '../nginx/include-files.js'
import { makeLogFile } from '../nginx/log-files.js'
import { WrongUsage, type Command } from './command.js'
import { print, printError } from './print.js'

/** Where Debian's and Red Hat's nginx have their logs, and rotate all that end so. */
const REFUSED_LOG = '/var/log/nginx/plinth-refused.log'

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  }
}

// nginx's workers read none of these: its master does, as root.
function replace(path: string, text: string): void {
  const next = `${path}.new`
  rmSync(next, { force: true }) // of a run that died; a link there is removed, not followed
  try {
    writeFileSync(next, text, { mode: 0o644, flag: 'wx' })
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}

// Who can write to the folder decides what nginx does as root: what it reads, and which files its logs lead to.
function mustBeOurs(folder: string): void {
  const { uid, mode } = statSync(folder)
  if (uid === process.getuid?.() && (mode & 0o022) === 0) return
  throw new Error(
    `${quote(folder)} must belong to the user who runs this, and be writable by nobody else: nginx uses it as root`,
  )
}

/** Makes a log that is not there: nginx by itself would make one that everybody reads. */
function makeLog(path: string): void {
  const folder = dirname(path)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`there is no folder for the log ${quote(path)}: name another one`)
  mustBeOurs(folder)
  makeLogFile(path)
}

export const nginxFiles: Command = {
  name: 'nginx-files',
  options: ['check', 'refused-log'],
  anywhere: () => true, // root writes the folder, and must not become the data folder's owner before
  usage: `  nginx-files DIR [--check] [--refused-log FILE]
                    write what an nginx of your own includes to serve Plinth; DIR is the folder plinth/ beside its
                    configuration, as /etc/nginx/plinth; --check writes nothing, and exit code 1 says that
                    something there is not as the settings and this version have it;
                    FILE is where nginx logs refused credentials (default ${REFUSED_LOG})`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: { check: { type: 'boolean', default: false }, 'refused-log': { type: 'string' } },
      allowPositionals: true,
    })
    const [given, ...more] = positionals
    if (given === undefined || more.length > 0) throw new WrongUsage('nginx-files takes one folder')
    const folder = resolve(given)
    if (basename(folder) !== INCLUDE_FOLDER)
      throw new WrongUsage(
        `the folder must be called ${INCLUDE_FOLDER}, as the files in it name each other, not ${quote(given)}`,
      )
    const refusedLog = resolve(values['refused-log'] ?? REFUSED_LOG)
    const config = readConfig()
    const files = Object.entries(includeFiles(config, refusedLog))
    const different = files.filter(([name, text]) => textAt(join(folder, name)) !== text)
    if (values.check) {
      if (different.length === 0) return 0
      printError([
        `plinth: not as the settings and this version have it: ${different.map(([name]) => name).join(', ')}`,
        `write them with plinth nginx-files ${folder}, then let nginx load them`,
      ])
      return 1
    }
    try {
      for (const log of [refusedLog, accessLogElsewhere(config)]) if (log !== undefined) makeLog(log)
      mkdirSync(folder, { recursive: true, mode: 0o755 })
      mustBeOurs(folder)
      for (const [name, text] of different) replace(join(folder, name), text)
    } catch (error) {
      throw new Error(`${messageOf(error)}: nothing was given to nginx yet`, { cause: error })
    }
    print([
      `${different.length} of ${files.length} files written to ${folder}`,
      `in nginx's http block:   include ${INCLUDE_FOLDER}/maps.conf;`,
      `in its server block:     include ${INCLUDE_FOLDER}/server.conf;`,
      'then: nginx -t && nginx -s reload',
    ])
    return 0
  },
}
