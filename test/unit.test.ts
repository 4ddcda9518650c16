// Runs the unit tests in one process: loading tap takes longer than most of their files. So they must leave the process
// as they found it (environment, working directory). A file also runs by itself: node build/test/config.test.js
//
// `node build/test/unit.test.js [PART]`: only files whose path below test/ holds PART.

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What starts programs: `plinth`, the real go and git, services that are killed, nginx. */
const NOT_UNITS = ['cli', 'differential', 'durability', 'e2e']

const SELF = 'unit.test.js'
const part = process.argv[2] ?? ''
const names = readdirSync(fileURLToPath(new URL('.', import.meta.url)), { recursive: true, encoding: 'utf8' })
for (const name of names.sort()) {
  const isUnit =
    name.endsWith('.test.js') && name !== SELF && !NOT_UNITS.includes(name.split('/', 1)[0] ?? '')
  if (isUnit && name.includes(part)) await import(new URL(name, import.meta.url).href)
}
