// `plinth owner`: the namespaces that packages are published under, and whether anyone may read them.

import { parseArgs } from 'node:util'
import { readOwners } from '../access/files.js'
import { addOwner, holdsPackages, setOwner } from '../access/owners.js'
import { readConfig, type Config } from '../config.js'
import { runJob } from '../service/run-job.js'
import { Store } from '../store/store.js'
import { runAction, WrongUsage, type Action, type Command } from './command.js'
import { mustBeSure } from './confirm.js'
import { jsonLines, print } from './print.js'

const OPTIONS = {
  private: { type: 'boolean' },
  public: { type: 'boolean' },
  'with-packages': { type: 'boolean' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

type Given = { config: Config; store: Store; values: { [Option in keyof typeof OPTIONS]?: boolean } }

const readersText = (isPublic: boolean): string =>
  isPublic ? 'public: anyone may read its packages' : 'private: accounts with the right may read its packages'

const ACTIONS: Readonly<Record<string, Action<Given>>> = {
  add: {
    options: ['private'],
    async run({ store, values }, name) {
      const isPublic = values.private !== true
      await store.prepare()
      await addOwner(store, { name, public: isPublic })
      print(`owner ${name} added, ${readersText(isPublic)}`)
    },
  },
  set: {
    options: ['public', 'private'],
    async run({ store, values }, name) {
      if (values.public === values.private) throw new WrongUsage('owner set takes --public or --private')
      const isPublic = values.public === true
      await setOwner(store, { name, public: isPublic })
      print(`owner ${name} is ${readersText(isPublic)}`)
    },
  },
  list: {
    nameless: true,
    options: ['json'],
    async run({ store, values }) {
      const owners = await readOwners(store)
      const lines = owners.map((owner) => `${owner.name} ${owner.public ? 'public' : 'private'}`)
      print(values.json ? jsonLines(owners) : lines)
    },
  },
  remove: {
    options: ['with-packages', 'yes'],
    async run({ config, store, values: { yes, 'with-packages': withPackages = false } }, name) {
      // An owner that is not declared may hold packages, too: a removal was cut off, or they were copied there.
      if (withPackages && !yes && (await holdsPackages(store, name)))
        await mustBeSure(`owner ${name} and every package under it will be deleted for good.`)
      for await (const _ of runJob(config, 'removal', { owner: name, withPackages }));
      print(`owner ${name} removed`)
    },
  },
}

export const owner: Command = {
  name: 'owner',
  usage: `  owner add NAME [--private]              declare the owner NAME: packages can be published under it
  owner set NAME --public|--private       let anyone read its packages, or accounts with the right only
  owner list [--json]                     the declared owners, one a line
  owner remove NAME [--with-packages]     take it back, with all its packages when that is said
                    [--yes]               without asking`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const config = readConfig()
    const given = { config, store: new Store(config.data), values }
    await runAction(ACTIONS, positionals, given, 'owner takes: add NAME, set NAME, list, or remove NAME')
    return 0
  },
}
