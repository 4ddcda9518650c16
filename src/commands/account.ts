// `plinth account`: the accounts that may publish, and read what is private. A token is shown once, by itself on
// the last line of standard output, so that a script can take it from there.

import { parseArgs } from 'node:util'
import {
  doWithAccounts,
  type AccountAnswer,
  type AccountRequest,
  type ShownAccount,
} from '../access/account-requests.js'
import type { Rights } from '../access/rights.js'
import { saveLogin } from '../client/netrc-file.js'
import { runAt } from '../client/remote.js'
import { auditedHere } from '../service/audited-here.js'
import { runAction, WrongUsage, type Action, type Command } from './command.js'
import { expiryAfter } from './duration.js'
import { jsonLines, print, printError } from './print.js'
import { namesServer, sayWhere, whereOf, WHERE_OPTIONS, type Where } from './where.js'

const OPTIONS = {
  ...WHERE_OPTIONS,
  read: { type: 'string', multiple: true },
  write: { type: 'string', multiple: true },
  admin: { type: 'boolean' },
  none: { type: 'boolean' },
  expires: { type: 'string' },
  self: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

type Options = {
  url?: string
  'allow-http'?: boolean
  read?: string[]
  write?: string[]
  admin?: boolean
  none?: boolean
  expires?: string
  self?: boolean
  json?: boolean
}

/** What is to change of an account. */
type Change = { rights?: Rights; expires?: string | null }

type Given = { where: Where; values: Options; change: Change }

/** One account in a line: its name, its rights, and when it expires. */
export function accountLine({ name, admin, read, write, expires, expired }: ShownAccount): string {
  const rights = [
    ...(admin ? ['admin'] : []),
    ...write.map((owner) => `write:${owner}`),
    ...read.map((owner) => `read:${owner}`),
  ]
  const expiry = expires === undefined ? '' : ` ${expired ? 'expired' : 'expires'}:${expires}`
  return `${name} ${rights.join(',') || 'no rights'}${expiry}`
}

const distinct = (names: string[] = []): string[] => [...new Set(names)].sort()

const rightsOf = ({ admin, read, write }: Options): Rights => ({
  admin: admin === true,
  read: distinct(read),
  write: distinct(write),
})

function changeOf(options: Options): Change {
  const { admin, read, write, none, expires } = options
  const some = admin === true || read !== undefined || write !== undefined
  if (some && none) throw new WrongUsage('--none is without --read, --write and --admin')
  return {
    ...((some || none) && { rights: rightsOf(options) }),
    ...(expires !== undefined && { expires: expiryAfter(expires, Date.now()) }),
  }
}

/** `self` stands for the name of the account that asks a server. */
type SelfRequest = { action: 'rotate'; self: true }

async function ask({ where }: Given, request: AccountRequest | SelfRequest): Promise<AccountAnswer> {
  if ('remote' in where) {
    sayWhere(where)
    return runAt(where.remote, 'account', request)
  }
  if ('self' in request)
    throw new WrongUsage('account rotate --self asks a server: name it with --url or PLINTH_URL')
  sayWhere(where)
  if (request.action === 'add') await where.store.prepare()
  return auditedHere(where.config, 'account', request, () => doWithAccounts(where.store, request))
}

function showAccount({ accounts: [account] }: AccountAnswer, done: string, json: boolean | undefined): void {
  if (account) print(json ? jsonLines(account) : `account ${done}: ${accountLine(account)}`)
}

function showToken(
  { accounts: [account], token = '' }: AccountAnswer,
  done: string,
  json: boolean | undefined,
): void {
  if (!account) return
  if (json) print(jsonLines({ ...account, token }))
  else print([`account ${done}: ${accountLine(account)}`, 'Its token, shown this once:', token])
}

/** A token of .netrc that was replaced is replaced there, too: the next command would be refused. */
function keepInNetrc({ where }: Given, { accounts: [account], token }: AccountAnswer): void {
  if (!('remote' in where) || !where.remote.login?.isSaved || !account || token === undefined) return
  printError(`plinth: the new token is in ${saveLogin(new URL(where.remote.base), account.name, token)}`)
}

const ACTIONS: Readonly<Record<string, Action<Given>>> = {
  add: {
    options: ['read', 'write', 'admin', 'expires', 'json'],
    async run(given, name) {
      const { values, change } = given
      const { expires } = change
      const request = { action: 'add', name, rights: rightsOf(values), ...(expires && { expires }) } as const
      showToken(await ask(given, request), 'added', values.json)
    },
  },
  set: {
    options: ['read', 'write', 'admin', 'none', 'expires', 'json'],
    async run(given, name) {
      const { values, change } = given
      if (Object.keys(change).length === 0)
        throw new WrongUsage('account set takes --read, --write, --admin, --none or --expires')
      showAccount(await ask(given, { action: 'set', name, ...change }), 'set', values.json)
    },
  },
  rotate: {
    nameless: ({ self }) => self === true,
    options: ['expires', 'self', 'json'],
    async run(given, name) {
      const { values, change } = given
      if (values.self && change.expires !== undefined)
        throw new WrongUsage('account rotate --self takes no --expires: an admin gives another time')
      const answer = await ask(
        given,
        values.self ? { action: 'rotate', self: true } : { action: 'rotate', name, ...change },
      )
      showToken(answer, 'rotated', values.json)
      if (values.self) keepInNetrc(given, answer)
    },
  },
  list: {
    nameless: true,
    options: ['json'],
    async run(given) {
      const { accounts, damaged = [] } = await ask(given, { action: 'list' })
      print(given.values.json ? jsonLines(accounts) : accounts.map(accountLine))
      for (const name of damaged) printError(`plinth: the file of account ${name} is damaged`)
    },
  },
  remove: {
    options: ['json'],
    async run(given, name) {
      await ask(given, { action: 'remove', name })
      print(given.values.json ? jsonLines({ removed: name }) : `account ${name} removed`)
    },
  },
}

export const account: Command = {
  name: 'account',
  actions: Object.keys(ACTIONS),
  options: Object.keys(OPTIONS),
  anywhere: namesServer,
  usage: `  account add NAME [--read OWNER]… [--write OWNER]… [--admin] [--expires 90d] [--json]
                                          make an account and show its token, once; writing implies reading,
                                          --admin everything; --expires takes 12h, 90d, 2w or never
  account set NAME [--read OWNER]… [--write OWNER]… [--admin] [--none] [--expires 90d] [--json]
                                          give it these rights instead of those it has (--none: no right),
                                          or another time to expire; its token stays
  account rotate NAME [--expires 90d] [--json]
                                          give it a new token and show that; the old one is dead at once
  account rotate --self --url URL         the same for the account that asks; a token from ~/.netrc is replaced there
  account list [--json]                   the accounts with their rights, one a line
  account remove NAME                     refuse its token from now on
                                          each also on a server, with an admin's token: --url URL or PLINTH_URL`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const { url: _url, 'allow-http': _http, ...others } = values
    const given = {
      values: others,
      change: changeOf(values),
      get where() {
        // after the words have been checked; --self looks at no data folder
        return whereOf(values, { mayBeNew: positionals[0] === 'add' || values.self === true })
      },
    }
    const takes = 'account takes: add NAME, set NAME, rotate NAME, list, or remove NAME'
    await runAction(ACTIONS, positionals, given, takes)
    return 0
  },
}
