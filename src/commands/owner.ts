// `plinth owner`: the namespaces that packages are published under, and whether anyone may read them.

import { parseArgs } from 'node:util'
import { doWithOwners, type OwnerAnswer, type OwnerRequest } from '../access/owner-requests.js'
import { holdsPackages } from '../access/owners.js'
import { isOwnerName, type Owner } from '../access/rights.js'
import { folders, sumdbState } from '../layout.js'
import { runAt } from '../client/remote.js'
import { auditedHere } from '../service/audited-here.js'
import { runJob } from '../service/run-job.js'
import { runAction, WrongUsage, type Action, type Command } from './command.js'
import { mustBeSure } from './confirm.js'
import { jsonLines, print } from './print.js'
import { namesServer, sayWhere, whereOf, WHERE_OPTIONS, type Where } from './where.js'

const FLAGS = {
  private: { type: 'boolean' },
  public: { type: 'boolean' },
  immutable: { type: 'boolean' },
  mutable: { type: 'boolean' },
  'with-packages': { type: 'boolean' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
} as const
const OPTIONS = { ...WHERE_OPTIONS, ...FLAGS } as const

/** An owner may have very many packages. nginx waits for an hour, too. */
const REMOVAL_MS = 3_600_000

type Given = { where: Where; values: { [Flag in keyof typeof FLAGS]?: boolean } }

const readersText = (owner: Owner): string =>
  owner.public
    ? 'public: anyone may read its packages'
    : 'private: accounts with the right may read its packages'

const promise = ({ name, immutable }: Owner): string[] =>
  immutable ? [`owner ${name} is immutable: what is deleted can come back only as it was`] : []

/** `undefined` when neither was said. */
const oneOf = (yes: boolean | undefined, no: boolean | undefined): boolean | 'both' | undefined =>
  yes && no ? 'both' : (yes ?? (no === undefined ? undefined : !no))

/** The owner in an answer. A server of before leaves unsaid what it does not know. */
function ownerIn({ owners: [owner] }: OwnerAnswer, asked: { immutable?: boolean }): Owner {
  if (!owner) throw new Error('the server did not say what the owner is now')
  if (asked.immutable && !owner.immutable)
    throw new Error(`owner ${owner.name} is not immutable: the server is of a version that cannot do that`)
  return owner
}

async function ask(where: Where, request: OwnerRequest): Promise<OwnerAnswer> {
  sayWhere(where)
  if ('remote' in where) return runAt(where.remote, 'owner', request)
  if (request.action === 'add') await where.store.prepare()
  return auditedHere(where.config, 'owner', request, () => doWithOwners(where.store, request))
}

async function remove(where: Where, request: { owner: string; withPackages: boolean }): Promise<void> {
  if ('remote' in where) await runAt(where.remote, 'removal', request, REMOVAL_MS)
  else for await (const _ of runJob(where.config, 'removal', request));
}

// An owner that is not declared may hold packages, too: a removal was cut off, or they were copied there. What a server
// tells of an owner is not all that it has.
const mayHoldAny = async (where: Where, owner: string): Promise<boolean> =>
  'remote' in where || holdsPackages(where.store, owner)

/** Asks before packages are deleted, and before a checksum database ends. */
async function mustMeanIt(where: Where, owner: string, withPackages: boolean): Promise<void> {
  const isKnown = 'store' in where && isOwnerName(owner)
  const ending = isKnown && (await where.store.exists(sumdbState(owner))) ? ENDING : ''
  if (withPackages && (await mayHoldAny(where, owner)))
    await mustBeSure(`owner ${owner} and every package under it will be deleted for good.${ending}`)
  else if (ending !== '') await mustBeSure(`owner ${owner} will be removed.${ending}`)
}

const ENDING =
  ' Its checksum database ends: clients that have its name in GOSUMDB stop, and the name can never be used again.' +
  ` What was recorded is kept in ${folders.sumdbRemoved}.`

const ACTIONS: Readonly<Record<string, Action<Given>>> = {
  add: {
    options: ['private', 'immutable', 'json'],
    async run({ where, values }, name) {
      const { immutable } = values
      const request = { name, public: values.private !== true, ...(immutable && { immutable }) }
      const owner = ownerIn(await ask(where, { action: 'add', ...request }), request)
      print(
        values.json ? jsonLines(owner) : [`owner ${name} added, ${readersText(owner)}`, ...promise(owner)],
      )
    },
  },
  set: {
    options: ['public', 'private', 'immutable', 'mutable', 'json'],
    async run(given, name) {
      const { values } = given
      const isPublic = oneOf(values.public, values.private)
      const immutable = oneOf(values.immutable, values.mutable)
      if (isPublic === 'both' || immutable === 'both' || (isPublic ?? immutable) === undefined)
        throw new WrongUsage(
          'owner set takes --public or --private, --immutable or --mutable, or one of each',
        )
      const request = {
        name,
        ...(isPublic !== undefined && { public: isPublic }),
        ...(immutable !== undefined && { immutable }),
      }
      const owner = ownerIn(await ask(given.where, { action: 'set', ...request }), request)
      print(values.json ? jsonLines(owner) : [`owner ${name} is ${readersText(owner)}`, ...promise(owner)])
    },
  },
  list: {
    nameless: true,
    options: ['json'],
    async run({ where, values }) {
      const { owners } = await ask(where, { action: 'list' })
      const lines = owners.map(
        (owner) =>
          `${owner.name} ${owner.public ? 'public' : 'private'}${owner.immutable ? ' immutable' : ''}`,
      )
      print(values.json ? jsonLines(owners) : lines)
    },
  },
  remove: {
    options: ['with-packages', 'yes', 'json'],
    async run({ where, values: { yes, json, 'with-packages': withPackages = false } }, name) {
      sayWhere(where)
      if (!yes) await mustMeanIt(where, name, withPackages)
      await remove(where, { owner: name, withPackages })
      print(json ? jsonLines({ removed: name }) : `owner ${name} removed`)
    },
  },
}

export const owner: Command = {
  name: 'owner',
  actions: Object.keys(ACTIONS),
  options: Object.keys(OPTIONS),
  anywhere: namesServer,
  usage: `  owner add NAME [--private]              declare the owner NAME: packages can be published under it
            [--immutable]                 what is deleted from it can come back only as it was
  owner set NAME [--public|--private]     let anyone read its packages, or accounts with the right only
            [--immutable|--mutable]       deleted versions come back only as they were, or as anything
  owner list [--json]                     the declared owners, one a line
  owner remove NAME [--with-packages]     take it back, with all its packages when that is said
                    [--yes]               without asking
                                          each also on a server, with an admin's token: --url URL or PLINTH_URL`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const { url: _url, 'allow-http': _http, ...flags } = values
    const given = {
      values: flags,
      get where() {
        return whereOf(values, { mayBeNew: positionals[0] === 'add' }) // after the words have been checked
      },
    }
    await runAction(ACTIONS, positionals, given, 'owner takes: add NAME, set NAME, list, or remove NAME')
    return 0
  },
}
