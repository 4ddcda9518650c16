// Which word somebody may have meant.

import t from 'tap'
import { similarTo } from '../../src/commands/similar.js'

const COMMANDS = ['owner', 'account', 'access', 'import', 'verify', 'rebuild', 'pack', 'publish']

t.test('typing errors find the word, other words find none', async (t) => {
  const table: [typed: string, meant: string | undefined][] = [
    ['publsh', 'publish'],
    ['pubilsh', 'publish'],
    ['Publish', 'publish'],
    ['pakc', 'pack'],
    ['acount', 'account'],
    ['accounts', 'account'],
    ['owners', 'owner'],
    ['verfiy', 'verify'],
    ['rebuid', 'rebuild'],
    ['', undefined],
    ['x', undefined],
    ['serve', undefined],
    ['--nothing', undefined],
    ['publish'.repeat(100), undefined],
  ]
  for (const [typed, meant] of table) t.equal(similarTo(typed, COMMANDS), meant, typed.slice(0, 20))
})
