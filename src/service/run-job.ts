// Runs a job for a command. The running service does it, in step with its uploads. Without a service the command does
// it by itself and holds the data folder's lock meanwhile.

import { LOCAL_USER } from '../audit/local-user.js'
import { auditLogHere } from '../audit/where.js'
import type { Config } from '../config.js'
import { StartProblem } from '../errors.js'
import { makeLog } from '../log.js'
import { takeLock } from '../store/lock.js'
import { audited } from './audited.js'
import { askService } from './control.js'
import { JOBS, type JobName, type JobTypes } from './jobs.js'
import { Parts } from './parts.js'
import { warn } from './terminal.js'

/**
 * Yields the events of the job `name`. `signal` ends it where the command does it by itself. The data folder becomes
 * the working directory.
 */
export async function* runJob<Name extends JobName>(
  config: Config,
  name: Name,
  request: JobTypes[Name]['request'],
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<JobTypes[Name]['event']> {
  const { data } = config
  try {
    process.chdir(data)
  } catch {
    throw new StartProblem(`there is no data folder at ${data}: set PLINTH_DATA`)
  }
  const answered = await askService<JobTypes[Name]['event']>(config.runtime, name, request, LOCAL_USER.by)
  if (answered) return yield* answered
  const lock = await takeLock(data, {
    command: name,
    runtime: config.runtime,
    onWarning: warn,
  })
  const parts = new Parts(
    { ...config, auditLog: auditLogHere(config) },
    makeLog((line) => process.stderr.write(line), config.logLevel),
  )
  const job = JOBS[name]
  try {
    if (job.changes(request)) {
      parts.audit.mustOpen()
      await parts.recover()
    }
    const events = job.run(parts, request, { signal, noService: true })
    yield* audited(parts.audit, name, request, LOCAL_USER, events)
    await parts.ownerViews.settle()
  } finally {
    parts.ownerViews.stop()
    await parts.zips.close()
    lock.release()
  }
}
