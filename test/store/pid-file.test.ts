import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { removePidFile, writePidFile } from '../../src/store/pid-file.js'
import { tempFolder } from '../support/temp-folder.js'

t.test('a pid file is written whole, and only its own process removes it', async (t) => {
  const folder = tempFolder()
  const path = join(folder, 'start.pid')
  writeFileSync(path, '1\n')
  removePidFile(path)
  t.ok(existsSync(path), 'it is of another process')
  writePidFile(path)
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
  t.same(readdirSync(folder), ['start.pid'])
  removePidFile(path)
  t.notOk(existsSync(path))
  removePidFile(path) // and when it is gone already, nothing happens
})
