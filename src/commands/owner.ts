// `npx plinth owner`: the namespaces that packages are published under, and whether anyone may read them.

import { parseArgs } from 'node:util'
import { readOwners } from '../access/files.js'
import { addOwner, holdsPackages, setOwner } from '../access/owners.js'
import { readConfig } from '../config.js'
import { Store } from '../store/store.js'
import { runJob } from '../service/beside.js'
import { WrongUsage, type Command } from './command.js'
import { mustBeSure } from './confirm.js'

const saying = (isPublic: boolean): string =>
  isPublic ? 'public: anyone may read its packages' : 'private: accounts with the right may read its packages'

export const owner: Command = {
  name: 'owner',
  usage: `  owner add NAME [--private]              declare the owner NAME: packages can be published under it
  owner set NAME --public|--private       let anyone read its packages, or accounts with the right only
  owner list [--json]                     the declared owners, one a line
  owner remove NAME [--with-packages]     take it back, with all its packages when that is said
                    [--yes]               without asking`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        private: { type: 'boolean' },
        public: { type: 'boolean' },
        'with-packages': { type: 'boolean' },
        yes: { type: 'boolean' },
        json: { type: 'boolean' },
      },
    })
    const [action, name, ...more] = positionals
    const { private: makePrivate, public: makePublic, 'with-packages': withPackages, yes, json } = values
    const takes = (...options: (keyof typeof values)[]): boolean =>
      more.length === 0 && Object.keys(values).every((given) => (options as string[]).includes(given))
    const store = new Store(readConfig().data)

    if (action === 'list' && name === undefined && takes('json')) {
      const found = await readOwners(store)
      const lines = found.map((one) => `${one.name} ${one.public ? 'public' : 'private'}\n`)
      process.stdout.write(json ? `${JSON.stringify(found)}\n` : lines.join(''))
    } else if (action === 'add' && name !== undefined && takes('private')) {
      await store.prepare()
      await addOwner(store, { name, public: makePrivate !== true })
      process.stdout.write(`owner ${name} added, ${saying(makePrivate !== true)}\n`)
    } else if (action === 'set' && name !== undefined && takes('public', 'private')) {
      if (makePublic === makePrivate) throw new WrongUsage('owner set takes --public or --private')
      await setOwner(store, { name, public: makePublic === true })
      process.stdout.write(`owner ${name} is ${saying(makePublic === true)}\n`)
    } else if (action === 'remove' && name !== undefined && takes('with-packages', 'yes')) {
      // One that is not declared may hold packages, too: a removal was cut off, or they were copied there.
      if (withPackages && !yes && (await holdsPackages(store, name)))
        await mustBeSure(`owner ${name} and every package under it will be deleted for good.`)
      const request = { owner: name, withPackages: withPackages === true }
      for await (const _ of runJob(readConfig(), 'removal', request));
      process.stdout.write(`owner ${name} removed\n`)
    } else {
      throw new WrongUsage('owner takes: add NAME, set NAME, list, or remove NAME')
    }
    return 0
  },
}
