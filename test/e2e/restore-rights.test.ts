// `plinth restore` by root: everything is done as the user to whom the data folder belongs, or else the backup.

import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../support/cli.js'
import { needs } from '../support/programs.js'
import { newData } from '../support/service.js'
import { tempFolder } from '../support/temp-folder.js'

const [OLD_USER, NEW_USER] = [54_321, 54_322]
const isRoot = process.getuid?.() === 0
const root = isRoot ? needs('flock') : { skip: 'NOT TESTED: only root becomes another user' }

t.test('a backup that has come from another machine', root, async (t) => {
  const folder = tempFolder()
  const at = (name: string): string => join(folder, name)
  const made = runCli({ PLINTH_DATA: await newData() }, ['backup', at('backup')])
  t.match(made, { code: 0 }, made.stderr)
  const giveTo = (user: number): void => void execFileSync('chown', ['-R', `${user}:${user}`, at('backup')])
  giveTo(OLD_USER)
  chmodSync(at('backup'), 0o755) // a copy may be in a folder that others enter
  const restore = (to: string) => runCli({}, ['restore', at('backup/latest'), '--to', at(to)])

  t.match(restore('missing'), {
    code: 1,
    stdout: '',
    stderr: `plinth: the user with the id ${OLD_USER}, as whom this runs, cannot write ${at('missing')}`,
  })
  t.notOk(existsSync(at('missing')))
  execFileSync('install', ['-d', '-o', String(NEW_USER), '-g', String(NEW_USER), at('data')])
  const unread = restore('data')
  t.match(unread, {
    code: 1,
    stdout: '',
    stderr: `plinth: the user with the id ${NEW_USER}, as whom this runs, cannot read ${at('backup/latest')}`,
  })
  const advice = /give the backup to that user with (chown -R) USER (\S+)/.exec(unread.stderr) ?? []
  t.equal(advice[2], realpathSync(at('backup/latest')), 'not the link: chown -R goes through none')

  chmodSync(at('backup'), 0o700)
  t.match(restore('data'), { code: 1, stderr: `cannot enter ${at('backup')}: let that user in, or copy` })
  chmodSync(at('backup'), 0o755)

  giveTo(NEW_USER)
  const restored = restore('data')
  t.match(restored, { code: 0, stdout: / 0 faults\n$/ }, restored.stderr)
  t.equal(statSync(at('data/access/accounts')).uid, NEW_USER, 'nothing is of root')
})
