// `plinth whoami`: whose credentials these are on a server, and what they may.

import { parseArgs } from 'node:util'
import type { AccountAnswer } from '../access/account-requests.js'
import { runAt } from '../client/remote.js'
import { accountLine } from './account.js'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print } from './print.js'
import { remoteIn, WHERE_OPTIONS } from './where.js'

const OPTIONS = { ...WHERE_OPTIONS, json: { type: 'boolean', default: false } } as const

export const whoami: Command = {
  name: 'whoami',
  options: Object.keys(OPTIONS),
  anywhere: () => true,
  usage: `  whoami --url URL [--json]               the account whose credentials are used there, and its rights`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    if (positionals.length > 0) throw new WrongUsage('whoami takes no words, but --url')
    const remote = remoteIn(values)
    const { accounts } = await runAt<AccountAnswer>(remote, 'account', { action: 'show', self: true })
    const [account] = accounts
    if (!account) throw new Error(`${remote.base} does not tell whose credentials these are`)
    print(values.json ? jsonLines({ server: remote.base, ...account }) : accountLine(account))
    return 0
  },
}
