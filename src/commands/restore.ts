// `plinth restore`: makes a data folder of a backup, and verifies it.

import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { restoreTo } from '../backup/restore.js'
import { readConfig } from '../config.js'
import { errno, PLINTH, StartProblem } from '../errors.js'
import { runJob } from '../service/run-job.js'
import { becomeOwner } from '../store/become-owner.js'
import { WrongUsage, type Command } from './command.js'
import { runInspection } from './inspection.js'
import { print } from './print.js'
import { Progress } from './progress.js'

export const restore: Command = {
  name: 'restore',
  options: ['to', 'no-verify'],
  anywhere: () => true,
  usage: `  restore BACKUP --to DATA [--no-verify]
                    copy a backup that "backup" has made, DIR/latest say, into a new or empty data folder, and
                    verify it; run it again when it was interrupted. It wants the settings of the service,
                    since pages have them. Exit code 1 when anything is wrong`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: { to: { type: 'string' }, 'no-verify': { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const [backup, ...more] = positionals.map((path) => resolve(path))
    if (backup === undefined || more.length > 0) throw new WrongUsage('restore takes one backup')
    if (values.to === undefined) throw new WrongUsage('restore needs --to')
    const data = resolve(values.to)
    const config = { ...readConfig(), data }
    becomeOwner(existsSync(data) ? data : backup)
    await fill(data, backup)
    for await (const _ of runJob(config, 'recovery', {}));
    if (values['no-verify']) return 0
    const { totals } = await runInspection({ mend: false }, false, config)
    const { packages, files, faults } = totals
    print(`${packages} packages, ${files} files: ${faults} faults`)
    if (faults > 0) print(`PLINTH_DATA=${data} ${PLINTH} rebuild mends what can be derived again`)
    return faults > 0 ? 1 : 0
  },
}

async function fill(data: string, backup: string): Promise<void> {
  const stopped = new AbortController()
  const stop = (): void => stopped.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop) // a second signal ends the process
  const progress = new Progress()
  try {
    const { files, bytes } = await restoreTo(data, backup, {
      signal: stopped.signal,
      onFile: (path, counts, of) => progress.showCount('files', counts.files, of, path),
    })
    progress.clear()
    print(`restored ${files} files, ${(bytes / 1e6).toFixed(1)} MB, to ${data}`)
  } catch (error) {
    throw stopped.signal.aborted
      ? new Error(`stopped: run it again to go on, ${data} is not whole`, { cause: error })
      : (denied(error, data, backup) ?? error)
  } finally {
    progress.clear()
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
  }
}

/** What the user may not do, with what helps: root has become the user of the data folder, or that of the backup. */
function denied(error: unknown, data: string, backup: string): StartProblem | undefined {
  if (errno(error) !== 'EACCES') return undefined
  const { path = data } = error as NodeJS.ErrnoException
  const user = `the user with the id ${process.geteuid?.()}, as whom this runs,`
  if (!`${path}/`.startsWith(`${backup}/`))
    return new StartProblem(
      `${user} cannot write ${path}: make the folder for that user first, as root: install -d -o USER ${data}`,
      { cause: error },
    )
  const shut = firstShut(dirname(backup))
  const remedy =
    shut === undefined
      ? `cannot read ${path}: give the backup to that user with chown -R USER ${realpathSync(backup)}`
      : `cannot enter ${shut}: let that user in, or copy the backup to another folder`
  return new StartProblem(`${user} ${remedy}`, { cause: error })
}

/** The topmost folder on the way to `path` that this user may not enter. */
function firstShut(path: string): string | undefined {
  const above = path === '/' ? undefined : firstShut(dirname(path))
  if (above !== undefined) return above
  try {
    accessSync(path, constants.X_OK)
    return undefined
  } catch {
    return path
  }
}
