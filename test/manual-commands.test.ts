// The commands that the manual names are there, with the options that it gives them, and what it says of where they work.

import t from 'tap'
import { loadCommands } from '../src/commands/commands.js'
import { LOG_LEVELS } from '../src/log.js'
import { ENTRY_KINDS } from '../src/logs/entry.js'
import { blocksOf, MANUAL } from './support/documents.js'

const COMMANDS = new Map((await loadCommands()).map((command) => [command.name, command]))

const OUTSIDE_OF_BLOCKS = MANUAL.replaceAll(/^ *```[^]*?^ *```$/gm, '').replaceAll(/\s+/g, ' ')

/** What the manual types: lines of its blocks, and what stands between backticks. */
const TYPED = [
  ...blocksOf(MANUAL).flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n')),
  ...[...OUTSIDE_OF_BLOCKS.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code),
].map((line) => line.replace(/(?:^| )#.*$/, '').replaceAll(/\b[A-Z_]+=\S+ /g, ''))

const CALL = /(?:^|[\s(;&|'"$])(?:\S*\/)?plinth +((?:[\w<./~:@%$"*…-]+ *)+)/g
/** Words that follow the name of a command's program and make it none of ours: users, units, packages of that name. */
const NOT_OURS =
  /(?:useradd|usermod|install|podman|systemctl|journalctl|chown|gpasswd|nft|restic|psql|use_backend) /

t.test('commands and their options', async (t) => {
  let found = 0
  for (const line of TYPED) {
    if (NOT_OURS.test(line) && !/ plinth plinth /.test(line)) continue
    for (const [, words = ''] of line.replace(/^.* plinth plinth /, 'plinth ').matchAll(CALL)) {
      const [name = '', ...others] = words.trim().split(/ +/)
      if (!/^[a-z]/.test(name) || name === 'help') continue
      const command = COMMANDS.get(name)
      t.ok(command, `there is a command ${name}: ${line}`)
      const actions = command?.actions ?? []
      if (actions.length > 0 && /^[a-z]/.test(others[0] ?? ''))
        t.ok(actions.includes(others[0] ?? ''), `${name} ${others[0]}`)
      for (const option of others.filter((word) => word.startsWith('--')))
        t.ok(command?.options.includes(option.slice(2)), `${name} ${option}: ${line}`)
      found++
    }
  }
  t.ok(found > 40, `${found} calls`)
})

t.test('each command is in the manual', async (t) => {
  for (const [name, { actions = [] }] of COMMANDS) {
    t.ok(
      TYPED.some((line) => new RegExp(`(?:plinth |^)${name}\\b`).test(line)),
      name,
    )
    for (const action of actions)
      t.ok(
        TYPED.some((line) => new RegExp(`\\b${name} ${action}\\b`).test(line)) ||
          OUTSIDE_OF_BLOCKS.includes(`\`${action}\``),
        `${name} ${action}`,
      )
  }
})

/** What works on neither: a checkout, a backup, a shell. */
const NEITHER = ['pack', 'restore', 'completion', 'collect', 'probe']

t.test('which of them know the data folder alone', async (t) => {
  const [, list = ''] = /- (`[^.]*) work on the data folder alone\./.exec(OUTSIDE_OF_BLOCKS) ?? []
  const named = [...list.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  const there = [...COMMANDS.values()].filter(
    ({ name, options }) => !options.includes('url') && !NEITHER.includes(name),
  )
  t.same(named.sort(), there.map(({ name }) => name).sort())
})

t.test('values of options and settings that the manual lists', async (t) => {
  const kinds = ENTRY_KINDS.map((kind) => `\`${kind}\``)
  t.match(
    OUTSIDE_OF_BLOCKS,
    `\`--kind\` takes ${kinds.slice(0, -1).join(', ')}, and ${kinds.at(-1)} for all else`,
  )
  const [last, ...first] = LOG_LEVELS.map((level) => `\`${level}\``).toReversed()
  t.match(OUTSIDE_OF_BLOCKS, `${first.toReversed().join(', ')} or ${last}: the service's`)
})
