// `plinth mirror-to`: keeps a bucket that has what everybody may read, by rclone.

import { isAbsolute } from 'node:path'
import { parseArgs } from 'node:util'
import { readConfig } from '../config.js'
import { quote } from '../errors.js'
import { mirrorPass, type PassOptions, type PassOutcome } from '../mirror/pass.js'
import { Rclone } from '../mirror/rclone.js'
import { WorkFolder } from '../mirror/work-folder.js'
import { WrongUsage, type Command } from './command.js'
import { print, printError } from './print.js'
import { Progress } from './progress.js'

export const mirrorTo: Command = {
  name: 'mirror-to',
  options: ['full', 'force', 'dry-run'],
  anywhere: () => false,
  usage: `  mirror-to REMOTE [--full] [--force] [--dry-run]
                    bring a bucket up to what everybody may read, by rclone: REMOTE is as BUCKETS:NAME/FOLDER.
                    It copies what has changed since the last time, and compares everything once a day or with
                    --full. Nothing is removed when the tree is not there, or when more is gone than anybody has
                    deleted, unless --force is given; exit code 1 then. --dry-run says what it would do`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: {
        full: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
      },
      allowPositionals: true,
    })
    const [remote, ...more] = positionals
    if (remote === undefined || more.length > 0) throw new WrongUsage('mirror-to takes one remote of rclone')
    if (!/^[^:/-][^:]*:./.test(remote) && !isAbsolute(remote))
      throw new WrongUsage(
        `${quote(remote)} is no remote of rclone with a folder, as buckets:name/folder, and no absolute path`,
      )
    const stopped = new AbortController()
    const stop = (): void => stopped.abort()
    process.once('SIGINT', stop).once('SIGTERM', stop) // a second signal ends the process
    try {
      const { full, force, 'dry-run': dryRun } = values
      return await run(remote.replace(/\/+$/, ''), { full, force }, dryRun, stopped.signal)
    } catch (error) {
      throw stopped.signal.aborted
        ? new Error('stopped: the next pass goes on from here', { cause: error })
        : error
    } finally {
      process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
    }
  },
}

async function run(
  remote: string,
  options: Omit<PassOptions, 'onOwner'>,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { data } = readConfig()
  const work = await WorkFolder.open(data, remote)
  const progress = new Progress()
  const counts = { upload: 0, remove: 0 }
  const begun = performance.now()
  try {
    const onChange = (change: 'upload' | 'remove', key: string): void => {
      counts[change]++
      if (dryRun) print(`${change} ${key}`)
      else progress.show(`${counts.upload} uploaded, ${counts.remove} removed: ${key}`)
    }
    const tools = { data, work, signal, dryRun, onChange, rclone: new Rclone(remote, signal) }
    const onOwner = (owner: string): void => progress.show(`looking at ${owner}`)
    const outcome = await mirrorPass(tools, { ...options, onOwner })
    progress.clear()
    print(summary(remote, outcome, counts, dryRun, performance.now() - begun))
    printError(outcome.problems.map((problem) => `plinth: ${problem}`))
    return outcome.problems.length > 0 ? 1 : 0
  } finally {
    progress.clear()
    await work.close()
  }
}

// r:bucket/folder: 12 uploaded, 3 removed, of 2 owners, in 1.4 s; everything was compared
const summary = (
  remote: string,
  { full, owners }: PassOutcome,
  { upload, remove }: { upload: number; remove: number },
  dryRun: boolean,
  ms: number,
): string =>
  `${remote}: ${upload} ${dryRun ? 'to upload' : 'uploaded'}, ${remove} ${dryRun ? 'to remove' : 'removed'}, ` +
  `of ${owners} owners, in ${(ms / 1000).toFixed(1)} s${full ? '; everything was compared' : ''}`
