// `plinth account`: the accounts that may publish, and read what is private. A token is shown once, by itself on
// the last line of standard output, so that a script can take it from there.

import { parseArgs } from 'node:util'
import { addAccount, changeAccount, removeAccount, type AccountChange } from '../access/accounts.js'
import { readAccount, readAccounts } from '../access/files.js'
import { isExpired, mustBeName, type Account, type Rights } from '../access/rights.js'
import { newToken } from '../access/token.js'
import { readConfig } from '../config.js'
import { Refusal } from '../errors.js'
import { Store } from '../store/store.js'
import { runAction, WrongUsage, type Action, type Command } from './command.js'
import { expiryAfter } from './duration.js'
import { jsonLines, print, printError } from './print.js'

const OPTIONS = {
  read: { type: 'string', multiple: true },
  write: { type: 'string', multiple: true },
  admin: { type: 'boolean' },
  none: { type: 'boolean' },
  expires: { type: 'string' },
  json: { type: 'boolean' },
} as const

type Options = {
  read?: string[]
  write?: string[]
  admin?: boolean
  none?: boolean
  expires?: string
  json?: boolean
}

type Given = { store: Store; values: Options; change: AccountChange }

/** An account without what it keeps of its token. */
function shown({ hash: _hash, hint: _hint, ...account }: Account) {
  return { ...account, expired: isExpired({ ...account, hash: '' }, Date.now()) }
}

function line(account: Account): string {
  const { name, admin, read, write, expires, expired } = shown(account)
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

function changeOf(options: Options): AccountChange {
  const { admin, read, write, none, expires } = options
  const some = admin === true || read !== undefined || write !== undefined
  if (some && none) throw new WrongUsage('--none is without --read, --write and --admin')
  return {
    ...((some || none) && { rights: rightsOf(options) }),
    ...(expires !== undefined && { expires: expiryAfter(expires, Date.now()) }),
  }
}

function showToken(account: Account, token: string, done: string, json: boolean | undefined): void {
  if (json) print(jsonLines({ ...shown(account), token }))
  else print([`account ${done}: ${line(account)}`, 'Its token, shown this once:', token])
}

function mustNotBeExpired(account: Awaited<ReturnType<typeof readAccount>>, change: AccountChange): void {
  if (typeof account === 'object' && change.expires === undefined && isExpired(account, Date.now()))
    throw new Refusal(
      409,
      `account ${account.name} expired on ${account.expires}: give a new time with --expires`,
    )
}

const ACTIONS: Readonly<Record<string, Action<Given>>> = {
  add: {
    options: ['read', 'write', 'admin', 'expires', 'json'],
    async run({ store, values, change }, name) {
      await store.prepare()
      const token = newToken()
      const added = await addAccount(store, name, token, rightsOf(values), change.expires ?? undefined)
      showToken(added, token, 'added', values.json)
    },
  },
  set: {
    options: ['read', 'write', 'admin', 'none', 'expires', 'json'],
    async run({ store, values, change }, name) {
      if (Object.keys(change).length === 0)
        throw new WrongUsage('account set takes --read, --write, --admin, --none or --expires')
      const changed = await changeAccount(store, name, change)
      print(values.json ? jsonLines(shown(changed)) : `account set: ${line(changed)}`)
    },
  },
  rotate: {
    options: ['expires', 'json'],
    async run({ store, values, change }, name) {
      mustBeName('account', name)
      mustNotBeExpired(await readAccount(store, name), change)
      const token = newToken()
      showToken(await changeAccount(store, name, { ...change, token }), token, 'rotated', values.json)
    },
  },
  list: {
    nameless: true,
    options: ['json'],
    async run({ store, values }) {
      const { accounts, damaged } = await readAccounts(store)
      print(values.json ? jsonLines(accounts.map(shown)) : accounts.map(line))
      for (const name of damaged) printError(`plinth: the file of account ${name} is damaged`)
    },
  },
  remove: {
    options: [],
    async run({ store }, name) {
      await removeAccount(store, name)
      print(`account ${name} removed`)
    },
  },
}

export const account: Command = {
  name: 'account',
  usage: `  account add NAME [--read OWNER]… [--write OWNER]… [--admin] [--expires 90d] [--json]
                                          make an account and show its token, once; writing implies reading,
                                          --admin everything; --expires takes 12h, 90d, 2w or never
  account set NAME [--read OWNER]… [--write OWNER]… [--admin] [--none] [--expires 90d] [--json]
                                          give it these rights instead of those it has (--none: no right),
                                          or another time to expire; its token stays
  account rotate NAME [--expires 90d] [--json]
                                          give it a new token and show that; the old one is dead at once
  account list [--json]                   the accounts with their rights, one a line
  account remove NAME                     refuse its token from now on`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const given = { store: new Store(readConfig().data), values, change: changeOf(values) }
    const takes = 'account takes: add NAME, set NAME, rotate NAME, list, or remove NAME'
    await runAction(ACTIONS, positionals, given, takes)
    return 0
  },
}
