// `plinth backup`: a copy of the data folder that is consistent, made while the service runs.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Backup, type BackupOutcome } from '../backup/backup.js'
import { Destination } from '../backup/destination.js'
import { NoRoom, sayingNoRoom } from '../backup/room.js'
import { readConfig } from '../config.js'
import { errno, quote, StartProblem } from '../errors.js'
import { withBackupSource } from '../service/backup-source.js'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print, printError } from './print.js'
import { Progress } from './progress.js'

type Made = BackupOutcome & { path: string; removed: string[] }

/** ('7') → 7 */
function keepIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9][0-9]{0,5}$/.test(text))
    throw new WrongUsage(`--keep ${quote(text)}: a number from 1 on is expected`)
  return Number(text)
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

export const backup: Command = {
  name: 'backup',
  options: ['keep', 'no-check', 'json'],
  anywhere: () => false,
  usage: `  backup DIR [--keep N] [--no-check] [--json]
                    copy the data folder into a new folder in DIR, while the service runs or without it. Files
                    that are the same as in the backup before are hard links to it. A copy of an uploaded file
                    is compared with the SHA-256 of its upload, unless --no-check is given. --keep N removes
                    the oldest but N when the new one is whole; exit code 1 when a file is not what was
                    uploaded, and then none is removed`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: {
        keep: { type: 'string' },
        'no-check': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    })
    const [folder, ...more] = positionals
    if (folder === undefined || more.length > 0) throw new WrongUsage('backup takes one folder')
    const keep = keepIn(values.keep)
    const stopped = new AbortController()
    const stop = (): void => stopped.abort()
    process.once('SIGINT', stop).once('SIGTERM', stop) // a second signal ends the process
    try {
      const made = await make(resolve(folder), keep, !values['no-check'], stopped.signal)
      if (values.json) print(jsonLines({ ...made, damaged: Object.fromEntries(made.damaged) }))
      else tell(made, keep)
      return made.damaged.size > 0 ? 1 : 0
    } catch (error) {
      throw stopped.signal.aborted
        ? new Error('stopped: run it again, it goes on from here', { cause: error })
        : error
    } finally {
      process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
    }
  },
}

async function make(
  folder: string,
  keep: number | undefined,
  check: boolean,
  signal: AbortSignal,
): Promise<Made> {
  const config = readConfig()
  const destination = await opened(folder, config.data)
  const progress = new Progress()
  try {
    return await sayingNoRoom(folder, async () => {
      const { begunMs, ...outcome } = await Backup.make(
        config,
        destination,
        (use) => withBackupSource(config, use),
        {
          check,
          signal,
          onFile: (path, { files, bytes }, of) =>
            progress.showCount('files', files, of, `${megabytes(bytes)} copied: ${path}`),
        },
      )
      const name = await destination.finish(begunMs)
      const mayRemove = keep !== undefined && outcome.damaged.size === 0
      const removed = mayRemove ? await destination.prune(keep, name) : []
      return { path: `${folder}/${name}`, ...outcome, removed }
    })
  } catch (error) {
    // What was begun takes the room that uploads need.
    if (error instanceof NoRoom) await destination.giveUp()
    throw error
  } finally {
    progress.clear()
    destination.close()
  }
}

async function opened(folder: string, data: string): Promise<Destination> {
  try {
    return await Destination.open(folder, data)
  } catch (error) {
    const code = errno(error)
    if (code === undefined) throw error
    throw new StartProblem(
      `backups cannot be written to ${folder}: ${code}; the folder must belong to the user of the data folder`,
      { cause: error },
    )
  }
}

function tell({ path, files, shared, copied, bytes, damaged, skipped, removed }: Made, keep?: number): void {
  for (const [file, fault] of damaged)
    printError([`${file}: ${fault}`, '  to mend it: restore it from an older backup'])
  for (const file of skipped) printError(`${file}: left out: it is no file, folder or link`)
  print(
    `${path}: ${files} files, ${shared} shared with the backup before, ${copied} copied, ${megabytes(bytes)}`,
  )
  for (const name of removed) print(`removed ${name}`)
  if (damaged.size > 0 && keep !== undefined) print('no older backup was removed, since files are damaged')
}
