// The commands that accounts may run from other machines: jobs of the table that the control socket serves, too.

import type { Account } from '../access/rights.js'
import { messageOf, quote, Refusal } from '../errors.js'
import type { RunCommand } from '../http/command-routes.js'
import { audited } from './audited.js'
import { isJobName, JOBS, type JobName } from './jobs.js'
import type { Parts } from './parts.js'

/** Who asks, from where, and by which request. */
type By = { account: Account; address: string; id: string }

/** Runs jobs for accounts; each has a line in the log. */
export const commandsFor =
  (parts: Parts): RunCommand =>
  async (name, asked, by) => {
    if (!isJobName(name) || JOBS[name].mayAsk === undefined)
      throw new Refusal(404, `this server has no command ${quote(name)} for other machines`)
    return run(parts, name, asked, by)
  }

async function run<Name extends JobName>(
  parts: Parts,
  name: Name,
  asked: Record<string, unknown>,
  { account, address, id }: By,
): Promise<object> {
  const job = JOBS[name]
  const request = parsed(() => job.parse(asked))
  if (job.mayAsk?.(request, account) !== true)
    throw new Refusal(403, `account ${account.name} is no admin: it may ask about itself alone`)
  if (!parts.config.remoteCommands && !job.mayAsk(request, { ...account, admin: false }))
    throw new Refusal(403, 'this server changes accounts and owners for commands on its own machine alone')
  const log = (level: 'info' | 'error', event: string, reason?: string): void =>
    parts.log(level, event, {
      id,
      by: account.name,
      address,
      request: JSON.stringify(request, withoutHash),
      reason,
    })
  log('info', name)
  let answer: object = {}
  try {
    const events = job.run(parts, request, { signal: NEVER, noService: false })
    const who = { account: account.name, address, id }
    for await (const event of audited(parts.audit, name, request, who, events)) answer = event
  } catch (error) {
    log('error', `${name} failed`, messageOf(error))
    throw error
  }
  return answer
}

const withoutHash = (field: string, value: unknown): unknown => (field === 'ifHash' ? undefined : value)

/** A request is not ended by its client: what it changes is changed as a whole. */
const NEVER = new AbortController().signal

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, messageOf(error))
  }
}
