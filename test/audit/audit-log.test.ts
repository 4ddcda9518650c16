import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AuditLog } from '../../src/audit/audit-log.js'
import { auditLogHere, auditLogOf } from '../../src/audit/where.js'
import { readConfig } from '../../src/config.js'
import type { LogFields } from '../../src/log.js'
import { tempFolder } from '../support/temp-folder.js'

const change = (what: string, more: object = {}) =>
  ({ kind: 'publish', owner: 'team', what, account: 'ci', result: 'done', ...more }) as const

function open(path: string | undefined) {
  const said: [event: string, fields: LogFields | undefined][] = []
  const audit = new AuditLog(path, (_level, event, fields) => void said.push([event, fields]))
  return { audit, said }
}

const linesOf = (path: string): LogFields[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogFields)

t.test('a change is one line that is appended, for few eyes', async (t) => {
  const path = join(tempFolder(), 'audit.log')
  const { audit, said } = open(path)
  audit.mustOpen()
  t.equal(statSync(path).size, 0, 'to look is not to write')
  t.equal(statSync(path).mode & 0o777, 0o640)
  audit.record(change('a@1', { address: '10.0.0.1', id: 'x', status: 201 }))
  appendFileSync(path, '{"of":"another process"}\n')
  audit.record(change('b@1'))
  t.match(linesOf(path), [
    {
      event: 'audit',
      kind: 'publish',
      owner: 'team',
      what: 'a@1',
      account: 'ci',
      address: '10.0.0.1',
      status: 201,
    },
    { of: 'another process' },
    { what: 'b@1' },
  ])
  t.same(said, [])
})

t.test('without a path nothing is done', async (t) => {
  const { audit, said } = open(undefined)
  audit.mustOpen()
  audit.record(change('a@1'))
  t.same(said, [])
})

t.test('a file that was rotated is left alone', async (t) => {
  const path = join(tempFolder(), 'audit.log')
  const { audit } = open(path)
  audit.record(change('a@1'))
  renameSync(path, `${path}.1`)
  audit.record(change('b@1'))
  t.match([...linesOf(`${path}.1`), ...linesOf(path)], [{ what: 'a@1' }, { what: 'b@1' }])
})

t.test('a line stays one, and is short', async (t) => {
  const path = join(tempFolder(), 'audit.log')
  open(path).audit.record(
    change('a\n{"kind":"delete"}\x1b[2J', { reason: 'y'.repeat(9000), claimed: 'z'.repeat(9000) }),
  )
  const text = readFileSync(path, 'utf8')
  t.equal(text.split('\n').length, 2)
  t.match(text, '\\n{\\"kind\\":\\"delete\\"}\\u001b[2J')
  t.ok(text.length < 1000, `${text.length} characters`)
})

t.test('what cannot be written is told: by the log now, by the file later', async (t) => {
  const path = join(tempFolder(), 'audit.log')
  const { audit, said } = open(path)
  mkdirSync(path)
  audit.record(change('a@1'))
  audit.record(change('b@1', { reason: 'why' }))
  t.match(said, [
    ['audit line lost', { what: 'a@1', problem: /EISDIR/ }],
    ['audit line lost', { what: 'b@1', reason: 'why' }],
  ])
  rmSync(path, { recursive: true })
  for (const what of ['c@1', 'd@1']) audit.record(change(what))
  t.match(linesOf(path), [{ kind: 'gap', lost: 2 }, { what: 'c@1' }, { what: 'd@1' }])
})

t.test('what is no file of its own stops the start', async (t) => {
  const folder = tempFolder()
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'))
  for (const path of [join(folder, 'link'), folder, join(folder, 'none/audit.log'), '/dev/null'])
    t.throws(
      () => open(path).audit.mustOpen(),
      { message: `PLINTH_AUDIT_LOG: ${path} cannot be opened` },
      path,
    )
})

t.test('where it is', async (t) => {
  const data = tempFolder()
  mkdirSync(join(data, 'state'))
  const config = (value: string) => readConfig({ PLINTH_DATA: data, PLINTH_AUDIT_LOG: value })
  t.equal(auditLogOf(config('1')), join(data, 'state/audit.log'))
  t.equal(auditLogOf(config('/var/log/x')), '/var/log/x')
  t.equal(auditLogOf(config('0')), undefined)
  t.equal(auditLogHere(config('')), undefined, 'no service has noted one')
  for (const [noted, found] of [
    ['/var/log/y\n', '/var/log/y'],
    ['torn', undefined],
    ['', undefined],
  ] as const) {
    rmSync(join(data, 'state/audit.path'), { force: true })
    appendFileSync(join(data, 'state/audit.path'), noted)
    t.equal(auditLogHere(config('')), found, noted)
    t.equal(auditLogHere(config('/var/log/x')), '/var/log/x', 'the setting comes first')
  }
})

t.test('of wrong credentials so many a minute have a line, and of changes all', async (t) => {
  const path = join(tempFolder(), 'audit.log')
  const { audit } = open(path)
  const { now } = performance
  let passed = 0
  performance.now = () => now.call(performance) + passed
  t.teardown(() => (performance.now = now))
  const wrong = { kind: 'login', claimed: 'ci', result: 'refused', status: 401 } as const
  for (let nth = 0; nth < 1000; nth++) audit.record(wrong)
  for (let nth = 0; nth < 100; nth++) audit.record(change(`a@${nth}`))
  const count = (kind: string): number => linesOf(path).filter((line) => line['kind'] === kind).length
  t.equal(count('login'), 60)
  t.equal(count('publish'), 100)
  passed = 60_000
  audit.record(wrong)
  t.match(linesOf(path).slice(-2), [
    { kind: 'gap', lost: 940, reason: /wrong credentials/ },
    { kind: 'login' },
  ])
  audit.record(wrong)
  t.equal(count('gap'), 1)
})
