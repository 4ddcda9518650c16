// `plinth access rebuild`: derives again what nginx reads of accounts and owners.

import { deriveAccess } from '../access/derive.js'
import { readConfig } from '../config.js'
import { Store } from '../store/store.js'
import { WrongUsage, type Command } from './command.js'
import { print } from './print.js'

export const access: Command = {
  name: 'access',
  options: [],
  actions: ['rebuild'],
  anywhere: () => false,
  usage: `  access rebuild                          derive again what nginx reads of accounts and owners, as every
                                          start does`,

  async run(words) {
    if (words.join(' ') !== 'rebuild') throw new WrongUsage('access takes: rebuild')
    const store = new Store(readConfig().data)
    await store.prepare()
    await deriveAccess(store)
    print('derived again from accounts and owners')
    return 0
  },
}
