// The format number of a data folder: which folders are taken, and what the others are told.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  FIRST_FORMAT,
  FORMAT,
  isHalfRestored,
  keepFormat,
  raiseFormat,
  readFormat,
  writeFormat,
} from '../../src/store/format.js'
import { takeLock } from '../../src/store/lock.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'

function folder(text?: string): string {
  const data = tempFolder()
  mkdirSync(join(data, 'state'))
  if (text !== undefined) writeFileSync(join(data, 'state/format'), text)
  return data
}
const textOf = (data: string): string => readFileSync(join(data, 'state/format'), 'utf8')

t.test('a folder without a number gets one, and keeps it', async (t) => {
  const data = folder()
  t.equal(readFormat(data), undefined)
  t.notOk(existsSync(join(data, 'state/format')), 'a look writes nothing')
  keepFormat(data)
  t.equal(textOf(data), `${FIRST_FORMAT}\n`, 'programs of before work on it')
  t.equal(readFormat(data), FIRST_FORMAT)
  t.equal(readFormat(join(data, 'nothing')), undefined, 'no folder has no number')
  t.same(readdirSync(join(data, 'state')), ['format'])
})

t.test('what a crash left of the number is written over', async (t) => {
  const data = folder()
  writeFileSync(join(data, 'state/format.new'), '1234')
  keepFormat(data)
  t.equal(textOf(data), `${FIRST_FORMAT}\n`)
})

const refused: [text: string, says: RegExp][] = [
  [`${FORMAT + 1}\n`, /has format 3, and this plinth knows formats up to 2: run the newer plinth/],
  ['999999999', /has format 999999999/],
  ['', /state\/format is damaged: it has "" in the place of a number/],
  ['0', /is damaged/],
  ['-1', /is damaged/],
  ['1 2', /is damaged/],
  ['0x1', /is damaged/],
  ['9999999999', /is damaged/],
  ['\u001b[2J\n1', /it has "\\u001b\[2J\\n1" in the place/],
  ['restoring\n', /was not restored whole: run the same restore again/],
]

for (const [text, says] of refused)
  t.test(`${JSON.stringify(text)} is refused, and stays as it is`, needs('flock'), async (t) => {
    const data = folder(text)
    t.throws(() => readFormat(data), { name: 'StartProblem', message: says })
    t.throws(() => keepFormat(data), { message: says })
    for (const command of [undefined, 'rebuild'])
      await t.rejects(takeLock(data, command === undefined ? {} : { command }), { message: says })
    t.equal(textOf(data), text)
    t.equal(readFileSync(join(data, 'state/lock'), 'utf8'), '', 'nobody signed')
  })

t.test('a folder in the place of the file is refused', async (t) => {
  const data = folder()
  mkdirSync(join(data, 'state/format'))
  t.throws(() => readFormat(data), { message: /state\/format cannot be read: EISDIR/ })
})

t.test('a start writes the number, a command does not', needs('flock'), async (t) => {
  const data = folder()
  const held = await takeLock(data, { command: 'verify' })
  held.release()
  t.notOk(existsSync(join(data, 'state/format')))
  const lock = await takeLock(data)
  t.equal(textOf(data), `${FIRST_FORMAT}\n`)
  lock.release()
})

t.test('the number goes up once, and never down', async (t) => {
  const data = folder()
  raiseFormat(data, FORMAT)
  t.equal(textOf(data), `${FORMAT}\n`, 'one without a number')
  raiseFormat(data, FIRST_FORMAT)
  keepFormat(data)
  t.equal(textOf(data), `${FORMAT}\n`)
  const ofNewer = folder(`${FORMAT + 1}\n`)
  t.throws(() => raiseFormat(ofNewer, FORMAT), { name: 'StartProblem' })
  t.equal(textOf(ofNewer), `${FORMAT + 1}\n`)
})

t.test('a restore marks the folder while it fills it', async (t) => {
  const data = folder()
  t.notOk(isHalfRestored(data))
  writeFormat(data, 'restoring')
  t.ok(isHalfRestored(data))
  t.throws(() => keepFormat(data), { message: /was not restored whole/ })
  writeFormat(data, FORMAT)
  t.equal(readFormat(data), FORMAT)
})
