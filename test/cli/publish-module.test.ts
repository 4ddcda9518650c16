// scripts/publish-module.sh with hostile words, names, settings and servers, in every shell of this machine.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { OpenZip } from '../../src/modzip/open-zip.js'
import { type CliResult } from '../support/cli.js'
import { needs, posixShells } from '../support/programs.js'
import { moduleFolder, runAtHome } from '../support/publish-command.js'
import { answer, startScriptedServer, type Handler } from '../support/scripted-server.js'
import { tempFolder } from '../support/temp-folder.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SCRIPT = join(ROOT, 'scripts/publish-module.sh')

const git = (cwd: string, args: string[], input = ''): string =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
    cwd,
    encoding: 'utf8',
    input,
    stdio: 'pipe',
  }).trim()

const write = (top: string, files: Record<string, string>): void => {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(top, name)), { recursive: true })
    writeFileSync(join(top, name), content)
  }
}

function checkout(more: Record<string, string> = {}): string {
  const top = moduleFolder()
  write(top, more)
  git(top, ['init', '-q'])
  git(top, ['add', '-A'])
  git(top, ['commit', '-qm', 'x'])
  git(top, ['tag', 'v1.0.0'])
  return top
}

type How = { env?: Record<string, string>; shell?: string[]; line?: string }

/** Runs the script with these words, or a whole shell line of a CI file. */
function script(
  cwd: string,
  words: string[],
  { env = {}, shell = ['sh'], line }: How = {},
): Promise<CliResult> {
  const args = line === undefined ? [...shell, SCRIPT, ...words] : ['sh', '-euc', line]
  const [program = '', ...rest] = args
  return runAtHome(program, rest, cwd, env)
}

// what moves a terminal's cursor, or more; the script prints ASCII only
const CONTROL = /[^\n\t -~]/

t.test('no word is run as shell code, and none is an option', needs('git', 'tar', 'awk'), async (t) => {
  const mark = join(tempFolder(), 'mark')
  const top = checkout()
  const WORDS = [
    `v1.0.0\n'; touch '${mark}'; '`,
    `v1.0.0\n$(touch ${mark})`,
    `v1.0.0'; touch '${mark}'; '`,
    `v1.0.0-$(touch ${mark})`,
    `v1.0.0\n`,
    'v1.0.0\u001b[2J',
    'v1.0.0\u009b2J',
    'v1.0.0-\u202e',
    'v1.0.0 v1.0.0',
    '',
    `-o${mark}`,
    `-o${mark}/v1.0.0`,
    '-n',
    `--upload-pack=touch ${mark}`,
    `--upload-pack=touch ${mark};/v1.0.0`,
    '-/v1.0.0',
  ]
  // one word is cut at its last slash, the second of two is not
  for (const [at, shell] of posixShells().entries())
    for (const words of WORDS.flatMap((word) => (at === 0 ? [[word], ['.', word]] : [['.', word]]))) {
      const { code, stdout, stderr } = await script(top, ['-n', '--', ...words], { shell })
      const name = `${shell.join(' ')}: ${JSON.stringify(words)}`
      t.not(code, 0, name)
      t.notMatch(stdout + stderr, CONTROL, name)
      t.notOk(existsSync(mark), name)
    }
  for (const word of WORDS.filter((one) => one !== '')) {
    const { code } = await script(top, ['-n', '-c', word, 'v1.0.0'])
    t.not(code, 0, `a commit: ${JSON.stringify(word)}`)
  }
  t.notOk(existsSync(mark))

  await t.test('the name of a pushed tag in the CI files', async (t) => {
    write(top, { 'ci/publish-module.sh': readFileSync(SCRIPT, 'utf8') })
    for (const name of ['github-actions', 'gitlab-ci', 'woodpecker']) {
      const text = readFileSync(join(ROOT, `scripts/ci/${name}.yml`), 'utf8')
      const line = /^ +- (?:run: )?(sh ci\/publish-module\.sh .*)$/m.exec(text)?.[1] ?? ''
      t.match(line, / -- "\$[A-Z_]+"$/, `${name}: a variable of the shell, and no option`)
      for (const [, code = ''] of text.matchAll(/^ +(?:- )?(?:run|commands|script|if): *(.*)$/gm))
        t.notMatch(code, /\$\{/, `${name}: nothing is put into code by the CI system`)
      for (const tag of [`-o${mark}`, `-o${mark}/v1.0.0`, '--help', `v1.0.0$(touch${mark})`]) {
        const env = { GITHUB_REF_NAME: tag, CI_COMMIT_TAG: tag }
        const { code, stderr } = await script(top, [], { env, line })
        t.equal(code, 1, `${name}: ${tag}`)
        t.match(stderr, /is no version|PLINTH_URL is not set/, `${name}: ${tag}: ${stderr}`)
        t.notOk(existsSync(mark))
      }
    }
  })
})

t.test('names of files are packed as they are, in every shell', needs('git', 'tar', 'awk'), async (t) => {
  const mark = join(tempFolder(), 'mark')
  const NAMES = [
    '$(touch mark)',
    '-n',
    'a  b',
    '[m].go',
    '{a,b}',
    '~',
    '#x',
    '$HOME',
    '%s',
    'é.go',
    'd/-c',
    'd/$(id)',
  ]
  const top = checkout(Object.fromEntries(NAMES.map((name) => [name, name])))
  const names = ['go.mod', 'm.go', ...NAMES].map((name) => `example.com/m@v1.0.0/${name}`).sort()
  const zips: Buffer[] = []
  for (const shell of posixShells()) {
    const zip = join(tempFolder(), 'm.zip')
    const ran = await script(top, ['-o', zip, 'v1.0.0'], {
      shell,
      env: { TMPDIR: tempFolder("plinth ' temp") },
    })
    t.equal(ran.code, 0, `${shell.join(' ')}: ${ran.stderr}`)
    const open = await OpenZip.open(zip)
    t.same(open.entries.map(({ name }) => name.toString()).sort(), names, shell.join(' '))
    open.close()
    zips.push(readFileSync(zip))
  }
  for (const zip of zips) t.ok(zip.equals(zips[0] ?? Buffer.alloc(0)), 'the same bytes')
  t.notOk(existsSync(mark) || existsSync(join(top, 'mark')))

  const odd = checkout({ 'vendor/b\u009b2J/x.go': 'x' })
  const listed = await script(odd, ['-n', 'v1.0.0'])
  t.equal(listed.code, 0, listed.stderr)
  t.match(listed.stderr, /vendor\/b\?\?2J\/x\.go: a vendored package/)
  t.notMatch(listed.stderr, CONTROL)

  const blob = git(top, ['hash-object', '-w', '--stdin'], 'x')
  const inner = git(top, ['mktree'], `100644 blob ${blob}\tx.go\n`)
  const outer = git(top, ['mktree'], `040000 tree ${inner}\t..\n`)
  const goMod = git(top, ['rev-parse', 'HEAD:go.mod'])
  const tree = git(top, ['mktree'], `100644 blob ${goMod}\tgo.mod\n040000 tree ${outer}\tvendor\n`)
  const commit = git(top, ['commit-tree', '-m', 'x', tree])
  const refused = await script(top, ['-n', '-c', commit, 'v1.0.0'])
  t.match(
    refused,
    { code: 1, stderr: /vendor\/\.\.\/x\.go: git lets nobody commit it/ },
    'before tar sees it',
  )
})

t.test('servers', needs('git', 'tar', 'awk', 'curl'), async (t) => {
  const server = await startScriptedServer()
  t.teardown(server.stop)
  const proxy = await startScriptedServer()
  t.teardown(proxy.stop)
  proxy.handle = answer(201, 'published by the proxy')
  const top = checkout()
  const settings = { PLINTH_URL: server.url, PLINTH_OWNER: 'team', PLINTH_TOKEN: 'a-secret' }
  const publish = (handle: Handler, env: Record<string, string> = {}, shell = ['sh']): Promise<CliResult> => {
    server.handle = handle
    return script(top, ['v1.0.0'], { env: { ...settings, ...env }, shell })
  }

  await t.test('a token for this machine goes to no proxy', async (t) => {
    const proxies = Object.fromEntries(
      ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].map((name) => [name, proxy.url]),
    )
    const direct = await publish(answer(201, 'published\n'), proxies)
    t.match(direct, { code: 0, stdout: 'published\n' })
    const byName = { ...proxies, PLINTH_URL: server.url.replace('127.0.0.1', 'localhost') }
    t.match(await publish(answer(201, 'published\n'), byName), { code: 0, stdout: 'published\n' })
    t.same(proxy.seen, [])
    const away = { http_proxy: proxy.url, PLINTH_URL: 'http://plinth.example.com', PLINTH_ALLOW_HTTP: '1' }
    t.match(
      await publish(answer(500), away),
      { code: 0, stdout: 'published by the proxy' },
      'others may need one',
    )
    t.equal(proxy.seen.length, 1)
  })

  await t.test('what a server says is printed without control characters, and in part', async (t) => {
    const hostile = 'a\u001b[2J\u0007b\r\n\u009b31mc\u0000d\u202ee\nf'
    for (const status of [201, 400]) {
      const said = await publish(answer(status, hostile))
      t.equal(said.code, status === 201 ? 0 : 1)
      const text = status === 201 ? said.stdout : said.stderr
      t.match(text, 'a?[2J?b\n??31mc?d???e\nf')
      t.notMatch(said.stdout + said.stderr, CONTROL)
    }
    const latin1: Handler = (req, res) => {
      req.resume()
      req.on('end', () => res.writeHead(400).end(Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x9b, 0x0a])))
    }
    t.match((await publish(latin1)).stderr, 'caf??\n')
    const lines = await publish(answer(400, 'line\n'.repeat(10_000)))
    t.ok(lines.stderr.split('\n').length < 50)
  })

  // sends until the other side goes
  const endless = (status: number, most = Infinity): Handler => {
    const piece = Buffer.alloc(2 ** 16, 'x')
    return (req: IncomingMessage, res: ServerResponse): void => {
      req.resume()
      res.on('error', () => {})
      req.on('end', () => {
        res.writeHead(status)
        let left = most
        const more = (): void => {
          while (left > 0 && !res.destroyed) {
            left -= piece.length
            if (!res.write(piece)) return void res.once('drain', more)
          }
          res.end()
        }
        more()
      })
    }
  }

  await t.test('an answer without end is cut', async (t) => {
    for (const shell of posixShells()) {
      const said = await publish(endless(400), {}, shell)
      t.match(said, { code: 1, stderr: /refused it with 400\nx+/ }, shell.join(' '))
      t.ok(said.stderr.length < 70_000, shell.join(' '))
    }
    t.match(await publish(endless(201, 100 * 2 ** 20)), { code: 0, stdout: /^x{60000}/ }, '100 MiB')
    const conflict: Handler = (req, res) =>
      (req.method === 'PUT' ? answer(409, 'taken') : endless(200))(req, res)
    t.match(await publish(conflict), { code: 1, stderr: /409, and what is there is not known.*\ntaken/ })
  })

  await t.test('an answer that breaks off is none', async (t) => {
    const broken: Handler = (req, res) => {
      req.resume()
      req.on('end', () => res.writeHead(201, { 'content-length': '100' }).write('short', () => res.destroy()))
    }
    t.match(await publish(broken), { code: 1, stderr: /cannot be asked\n$/ })
    t.match(await publish(answer(302, '', { location: 'http://x' })), {
      code: 1,
      stderr: /which is not followed/,
    })
  })

  await t.test('settings that would become words of curl', async (t) => {
    for (const [name, value] of [
      ['PLINTH_OWNER', '..'],
      ['PLINTH_OWNER', 'team\n-o x'],
      ['PLINTH_TOKEN', 'a\noutput = /dev/null'],
      ['PLINTH_URL', `${server.url}\n`],
      ['NETRC', 'a"\noutput = "x'],
    ] as const)
      t.match(await publish(answer(201), { [name]: value }), { code: 1, stderr: new RegExp(name) }, name)
  })
})
