// Commands against a server that answers what it likes: nothing of it is obeyed, believed, or waited for without an end.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CLI, plainNode, runCli } from '../support/cli.js'
import { tempFolder } from '../support/temp-folder.js'

type Answering = (req: IncomingMessage, res: ServerResponse) => void

/** Runs a command against a server in this process; it must not block this process. */
async function against(t: Test, answering: Answering) {
  const asked: string[] = []
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`)
    req.resume()
    answering(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const home = tempFolder()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const run = (words: string[], input = '', env: Record<string, string> = { PLINTH_TOKEN: 'right-token' }) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const [program, args] = plainNode(CLI, ...words)
      const { PLINTH_TOKEN: _token, ...others } = process.env
      const child = spawn(program, args, { env: { ...others, HOME: home, PLINTH_URL: url, ...env } })
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
      child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
      child.stdin.end(input)
      child.once('close', (code) => resolve({ code, stdout, stderr }))
    })
  return { run, asked, home, netrc: join(home, '.netrc') }
}

const json =
  (value: unknown, headers: Record<string, string> = {}): Answering =>
  (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json', ...headers })
    res.end(JSON.stringify(value))
  }
const accountNamed = (name: string, token?: string) => ({
  accounts: [{ name, admin: false, read: [], write: [], created: '2026-01-01T00:00:00Z', expired: false }],
  ...(token !== undefined && { token }),
})

t.test('what a server says of an account is not written as it is', async (t) => {
  const evil = 'x password y\nmachine github.com login a password b\n#'
  const { run, netrc } = await against(t, json(accountNamed(evil, 'a b\nmacdef init')))
  t.match(await run(['login'], 'right-token\n', {}), { code: 1, stderr: /no name that \.netrc can hold/ })
  t.notOk(existsSync(netrc))
  const whoami = await run(['whoami'])
  t.equal(whoami.stdout.trimEnd().split('\n').length, 1, 'a line stays one')
  const mine = 'machine 127.0.0.1 login me password old\n'
  writeFileSync(netrc, mine)
  t.match(await run(['account', 'rotate', '--self'], '', {}), { code: 1 })
  t.equal(readFileSync(netrc, 'utf8'), mine)
})

t.test('what is no answer is not taken for an empty one', async (t) => {
  const { run } = await against(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/html' })
    res.end('<h1>gateway</h1>')
  })
  t.match(await run(['ls', 'team']), { code: 1, stderr: /did not answer with the packages of team/ })
  t.match(await run(['ls']), { code: 1, stderr: /did not answer with a list of owners/ })
  t.match(await run(['search', 'x', '--owner', 'team']), {
    code: 1,
    stderr: /did not answer with the packages/,
  })
  t.match(await run(['whoami']), { code: 1, stderr: /did not answer with what the command is for/ })
  t.match(
    await run(['owner', 'remove', 'team', '--with-packages']),
    { code: 1, stderr: /say --yes/ },
    'it asks',
  )
})

t.test('a list has an end, whatever the server says of its length', async (t) => {
  for (const total of ['many', '1e300', '-1']) {
    let pages = 0
    const { run } = await against(t, (req, res) => {
      pages++
      json(pages > 3 ? [] : [{ username: `o${pages}`, visibility: 'public' }], { 'x-total-count': total })(
        req,
        res,
      )
    })
    t.equal((await run(['ls'])).code, 0, total)
    t.ok(pages <= 4)
  }
})

t.test('an older server, and another one, are named', async (t) => {
  const { run } = await against(t, (_req, res) => {
    res.writeHead(404, { 'content-type': 'text/plain' })
    res.end('not found: no package is written at this path\n')
  })
  t.match(await run(['whoami']), { code: 1, stderr: /is no Plinth, or an older one/ })
  t.match(await run(['ls']), { code: 1, stderr: /404: this is no Plinth, or an older one/ })
})

t.test('a server of before does not make an owner immutable, and that is said', async (t) => {
  const { run } = await against(t, json({ owners: [{ name: 'team', public: true }], done: true }))
  for (const words of [
    ['owner', 'add', 'team', '--immutable'],
    ['owner', 'set', 'team', '--public', '--immutable'],
  ])
    t.match(await run(words), {
      code: 1,
      stderr: /owner team is not immutable: the server is of a version that/,
    })
  t.equal((await run(['owner', 'set', 'team', '--public', '--mutable'])).code, 0)
})

t.test('names of a server are shown, never obeyed', async (t) => {
  const name = 'example.com/\u001b[2Jm\tx'
  const entry = { kind: 'go', name, versions: 1, latest: 'v1\r', updated: '2026-01-01T00:00:00Z' }
  const { run } = await against(t, json({ format: 1, owner: 'team', packages: [entry] }))
  const { stdout } = await run(['ls', 'team'])
  t.notMatch(stdout, '\u001b')
  t.notMatch(stdout, '\r')
  t.equal(stdout.split('\t').length, 5, 'a tab is only between columns')
})

t.test('which server, which credentials', async (t) => {
  const data = join(tempFolder(), 'data')
  mkdirSync(data)
  for (const words of [
    ['ls', '--url', ''],
    ['rm', 'a/b', '--yes', '--url='],
    ['owner', 'add', 'x', '--url', ''],
  ]) {
    const { code, stderr } = runCli({ PLINTH_DATA: data }, words)
    t.equal(code, 1)
    t.match(stderr, /the address of the Plinth is missing/, 'an empty one is not the data folder')
  }
  const seen: (string | undefined)[] = []
  const { run, netrc } = await against(t, (req, res) => {
    seen.push(req.headers.authorization)
    json([], { 'x-total-count': '0' })(req, res)
  })
  writeFileSync(netrc, 'default login anonymous password me@example.com\n')
  await run(['ls'], '', {})
  t.same(seen, [undefined], 'what is for everybody is not for a Plinth')
  for (const words of [
    ['ls', 'team', '--type', 'module'],
    ['search', 'x', '--type', 'Go'],
    ['rm', 'a/b', '--type', 'x'],
  ])
    t.match(await run(words), { code: 2, stderr: /--type is go or generic/ })
  t.match(await run(['rm', 'team/tool@../other/1.0', '--yes']), { code: 1 })
})
