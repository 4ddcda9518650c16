// `plinth log` as a process, on files that are there and on one that grows.

import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { watch } from '../support/child.js'
import { CLI, plainNode, runCli } from '../support/cli.js'
import { tempFolder } from '../support/temp-folder.js'

const line = (what: string, more: object = {}): string => {
  const fields = {
    event: 'audit',
    kind: 'publish',
    account: 'ci',
    owner: 'team',
    what,
    result: 'done',
    ...more,
  }
  return `${JSON.stringify({ time: '2026-01-31T12:00:00.000Z', level: 'info', ...fields })}\n`
}
const text = (what: string): string => `2026-01-31T12:00:00Z publish done ci: team ${what}\n`

/** A data folder whose service has noted an audit log elsewhere. */
function dataFolder(): { settings: Record<string, string>; audit: string } {
  const folder = tempFolder()
  const audit = join(folder, 'audit.log')
  mkdirSync(join(folder, 'data/state'), { recursive: true })
  writeFileSync(join(folder, 'data/state/audit.path'), `${audit}\n`)
  return { settings: { PLINTH_DATA: join(folder, 'data') }, audit }
}

t.test('the audit log with its rotated files, the oldest first', async (t) => {
  const { settings, audit } = dataFolder()
  const log = (...words: string[]) => runCli(settings, ['log', ...words])
  t.match(log(), { code: 1, stdout: '', stderr: /audit\.log: there is no such file\n$/ })
  writeFileSync(`${audit}.2.gz`, gzipSync(line('a@1')))
  t.same(log(), { code: 0, stdout: text('a@1'), stderr: '' }, 'there was no change since the rotation')
  writeFileSync(`${audit}.1`, line('b@1', { owner: 'other' }))
  writeFileSync(audit, line('c@1') + line('d@1', { account: 'x', kind: 'delete' }))
  t.equal(log().stdout.split('\n').length, 5)
  t.same(log('--owner', 'team', '--account', 'ci'), {
    code: 0,
    stdout: text('a@1') + text('c@1'),
    stderr: '',
  })
  t.match(log('--kind', 'delete', '--json').stdout, /^\{"time":.*"what":"d@1","result":"done"\}\n$/)
  t.same(log('--since', '1h'), { code: 0, stdout: '', stderr: '' }, 'nothing is no failure')
  t.match(log('--since', '2026-01-31T12:00Z', '--owner', 'other').stdout, 'b@1')
  t.equal(runCli({ ...settings, PLINTH_AUDIT_LOG: `${audit}.1` }, ['log']).stdout.split('\n').length, 2)
})

t.test('files and standard input, and what is in neither', async (t) => {
  const folder = tempFolder()
  const path = join(folder, 'x.log')
  const odd = line('a\u001b[2J\nb@1')
  writeFileSync(path, `plinth: serving\n${odd}{"half":\n\n${'x'.repeat(100_000)}\n${line('c@1')}`)
  const settings = { PLINTH_DATA: join(folder, 'none') }
  const log = (...words: string[]) => runCli(settings, ['log', ...words])
  const shown = `${text('a\\u001b[2J\\u000ab@1')}${text('c@1')}`
  t.same(log(path), { code: 0, stdout: shown, stderr: 'plinth: 3 lines are of no log of Plinth\n' })
  writeFileSync(`${path}.gz`, gzipSync(line('g@1')))
  writeFileSync(`${path}.torn.gz`, gzipSync(line('t@1')).subarray(0, -9))
  const missing = join(folder, 'missing')
  const { code, stdout, stderr } = log(missing, `${path}.torn.gz`, `${path}.gz`, folder)
  t.equal(code, 1)
  t.ok(stdout.endsWith(text('g@1')), 'what can be read is read')
  t.match(stderr, `${missing}: there is no such file\n`)
  t.match(stderr, `${path}.torn.gz: unexpected end of file`)
  t.match(stderr, `${folder}: EISDIR`)

  const [program, args] = plainNode(CLI, 'log', '-', '--kind', 'publish')
  const piped = spawnSync(program, args, {
    input: line('in@1') + line('x', { kind: 'delete' }),
    encoding: 'utf8',
  })
  t.match(piped, { status: 0, stdout: text('in@1'), stderr: '' })
  for (const words of [['--kind', 'x'], ['--since', 'then'], ['--nothing'], ['--follow', path, path]])
    t.match(log(...words), { code: 2, stderr: /usage: / }, words.join(' '))
  t.match(log(), { code: 1, stderr: /there is no audit log: set PLINTH_AUDIT_LOG, or name a FILE/ })
})

t.test('who has seen enough ends it', async (t) => {
  const path = join(tempFolder(), 'x.log')
  writeFileSync(path, line('a@1').repeat(50_000))
  const [program, args] = plainNode(CLI, 'log', path)
  const command = [program, ...args].map((word) => `'${word}'`).join(' ')
  const ran = spawnSync('sh', ['-c', `{ ${command}; echo "code $?" >&2; } | head -1`], { encoding: 'utf8' })
  t.match(ran, { stdout: text('a@1'), stderr: 'code 0\n' })
})

t.test('a packed file may be larger than the memory', async (t) => {
  const path = join(tempFolder(), 'x.log.gz')
  const many = gzipSync(line('a@1', { owner: 'x' }).repeat(100_000))
  writeFileSync(path, Buffer.concat([...Array.from({ length: 4 }, () => many), gzipSync(Buffer.alloc(2e8))]))
  appendFileSync(path, gzipSync(`\n${line('last@1')}`))
  const args = [
    '-u',
    'NODE_OPTIONS',
    process.execPath,
    '--max-old-space-size=40',
    CLI,
    'log',
    path,
    '--owner',
    'team',
  ]
  const ran = spawnSync('sh', ['-c', 'ulimit -v 3000000; exec env "$@"', 'sh', ...args], { encoding: 'utf8' })
  t.match(ran, { status: 0, stdout: text('last@1'), stderr: 'plinth: 1 line is of no log of Plinth\n' })
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  t.test(`--follow until ${signal}`, async (t) => {
    const { settings, audit } = dataFolder()
    writeFileSync(`${audit}.1`, line('first@1'))
    writeFileSync(audit, line('a@1'))
    const [program, args] = plainNode(CLI, 'log', '--follow', '--owner', 'team')
    const child = spawn(program, args, {
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { until, output, ended } = watch(child)
    await until(/a@1/)
    const whole = line('b@1')
    appendFileSync(audit, whole.slice(0, 30))
    appendFileSync(audit, `${whole.slice(30)}${line('not', { owner: 'other' })}no line\n`)
    await until(/b@1/)
    renameSync(audit, `${audit}.2`)
    appendFileSync(`${audit}.2`, line('c@1'))
    await until(/c@1/) // until another one is there, the file is read on
    appendFileSync(audit, line('d@1'))
    await until(/d@1/)
    truncateSync(audit)
    appendFileSync(audit, line('e')) // shorter than what was there
    await until(/ e\n/)
    child.kill(signal)
    t.same(await ended, { code: 0, signal: null })
    const expected = ['first@1', 'a@1', 'b@1', 'c@1', 'd@1', 'e'].map(text).join('')
    t.equal(output(), `${expected}plinth: 1 line is of no log of Plinth\n`)
  })
