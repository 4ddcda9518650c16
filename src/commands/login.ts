// `plinth login`: writes a token into ~/.netrc, where go, curl and git find it, too.

import { parseArgs } from 'node:util'
import type { AccountAnswer } from '../access/account-requests.js'
import { saveLogin } from '../client/netrc-file.js'
import { runAt } from '../client/remote.js'
import { parseUrl, remoteOf, tokenLogin } from '../client/server.js'
import { publishingTo } from '../client/settings.js'
import { accountLine } from './account.js'
import { WrongUsage, type Command } from './command.js'
import { askSecret } from './confirm.js'
import { jsonLines, print } from './print.js'
import { WHERE_OPTIONS } from './where.js'

const OPTIONS = { ...WHERE_OPTIONS, json: { type: 'boolean', default: false } } as const

export const login: Command = {
  name: 'login',
  options: Object.keys(OPTIONS),
  anywhere: () => true,
  usage: `  login --url URL [--json]                ask for a token (or read it from standard input), try it, and write
                                          it into ~/.netrc, which only you may read, for plinth, go, curl
                                          and git`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    if (positionals.length > 0)
      throw new WrongUsage('login takes no words, but --url: a token on the command line is seen by others')
    const address = values.url ?? publishingTo().url
    if (!address) throw new WrongUsage('login needs --url or PLINTH_URL')
    const url = parseUrl(address)
    const token = await askSecret(`Token for ${url.host}: `)
    const { base } = remoteOf({ url: address, token, netrc: '' }, values['allow-http'] ?? false)
    const { accounts } = await runAt<AccountAnswer>({ base, login: tokenLogin(token) }, 'account', {
      action: 'show',
      self: true,
    })
    const [account] = accounts
    if (!account) throw new Error(`${base} does not tell whose token this is`)
    const file = saveLogin(url, account.name, token)
    if (values.json) print(jsonLines({ server: base, file, ...account }))
    else print([`logged in at ${base} as ${accountLine(account)}`, `the token is in ${file}`])
    return 0
  },
}
