import t from 'tap'
import { LOG_LEVELS, makeLog, type LogFields, type LogLevel } from '../src/log.js'

const lineOf = (fields: LogFields): string => {
  const lines: string[] = []
  makeLog((line) => void lines.push(line))('info', 'request', fields)
  t.equal(lines.length, 1)
  return lines[0] ?? ''
}
const fieldsOf = (fields: LogFields) => JSON.parse(lineOf(fields)) as LogFields

t.test('a line is an object with its fields', async (t) => {
  t.match(fieldsOf({ path: '/a', status: 200, account: undefined }), { path: '/a', status: 200 })
  t.notMatch(lineOf({ account: undefined }), 'account')
})

t.test('a line has no characters that a terminal obeys or hides', async (t) => {
  const path = 'a\n\x1b[2J\x7f\u009b\u2028\u202e\u{e0041}'
  t.match(lineOf({ path }), /"path":"a\\n\\u001b\[2J\\u007f\\u009b\\u2028\\u202e\\udb40\\udc41"\}\n$/)
  t.equal(fieldsOf({ path }).path, path)
})

t.test('lines below the level are not written', async (t) => {
  const written = (least: LogLevel): string[] => {
    const lines: string[] = []
    const log = makeLog((line) => void lines.push(line), least)
    for (const level of LOG_LEVELS) log(level, level)
    return lines.map((line) => (JSON.parse(line) as LogFields)['level'] as string)
  }
  t.same(written('debug'), ['debug', 'info', 'warn', 'error'])
  t.same(written('info'), ['info', 'warn', 'error'])
  t.same(written('warn'), ['warn', 'error'])
  t.same(written('error'), ['error'])
})

t.test('what a client may make long is cut', async (t) => {
  const exact = 'x'.repeat(256)
  t.equal(fieldsOf({ path: exact }).path, exact)
  t.equal(fieldsOf({ path: `${exact}y` }).path, `${exact}…`)
  t.equal(fieldsOf({ claimed: 'y'.repeat(30_000) }).claimed, `${'y'.repeat(256)}…`)
  t.ok(lineOf({ path: '\u0001'.repeat(30_000) }).length < 2000, 'escapes do not make it long again')
  t.equal(fieldsOf({ reason: 'z'.repeat(30_000) }).reason, `${'z'.repeat(4096)}…`, 'reasons have more room')
})
