// Runs the lines of the README, of the operating manual and of the CI files as a reader copies them, and checks that
// the documents' links lead somewhere.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from 'prettier'
import t from 'tap'
import { block, linesOf, MANUAL, read, README, ROOT } from '../support/documents.js'
import { simpleModule } from '../support/zips.js'
import { makeGo } from '../support/go.js'
import { TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'

const CI_FILES = ['github-actions.yml', 'gitlab-ci.yml', 'woodpecker.yml'].map((name) => `scripts/ci/${name}`)
const SCRIPT = join(ROOT, 'scripts/publish-module.sh')
/** The command without the modules that tap would load into it. */
const PLAIN_PLINTH = `env -u NODE_OPTIONS '${ROOT}scripts/plinth'`

t.test('the lines of the README', needs('nginx', 'go', 'git', 'curl'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const repo = tempFolder('plinth-repo')
  const shell = (script: string, cwd = repo): string =>
    execFileSync('sh', ['-euc', script], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, PLINTH: plinth.url, TOKEN, GIT_CONFIG_GLOBAL: '/dev/null' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  const files: Record<string, string> = {
    'go.mod': 'module example.com/m\n\ngo 1.19\n',
    'm.go': 'package m\n\nconst Version = "v1.0.0"\n',
    'cmd/tool/main.go': 'package main\n\nfunc main() {}\n',
    'deep/er/x.txt': 'x',
    'sub/go.mod': 'module example.com/m/sub\n\ngo 1.19\n',
    'sub/m.go': 'package m\n\nconst Version = "v0.5.0"\n',
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(repo, name)), { recursive: true })
    writeFileSync(join(repo, name), content)
  }
  shell(
    'git init -q . && git add . && git -c user.name=x -c user.email=x@example.com commit -qm x && git tag v1.0.0 && git tag sub/v0.5.0',
  )

  const here = (lines: string): string =>
    lines
      .replaceAll('scripts/plinth', PLAIN_PLINTH)
      .replaceAll('scripts/publish-module.sh', `'${SCRIPT}'`)
      .replaceAll('~/src/m', '.')
  await t.test('a module around another, by the command and by the script', async (t) => {
    const published = shell(
      here(block(README, 'Publish a module') + block(README, 'Without Node, and from CI')),
    )
    t.match(published, 'published example.com/m v1.0.0')
    t.match(published, 'published example.com/m v1.0.1')
    t.match(published, 'GOPROXY=')
    const packed = shell(here(block(README, 'Publish a module', 1)))
    t.match(packed, '- sub/: in another module')
    shell('rm m.zip', repo)
  })

  await t.test('the same version again, by the command and by the script', async (t) => {
    const [settings = '', command = ''] = here(block(README, 'Publish a module')).trim().split('\n')
    const script = here(block(README, 'Without Node, and from CI')).trim()
    const again = (line: string, version: string): string =>
      shell(`${settings}\n${line.replace(/v1\.0\.\d/, version)}`)
    t.match(again(command, 'v1.0.0'), 'already published, identical: example.com/m v1.0.0')
    t.match(again(command, 'v1.0.1'), 'already published, identical: example.com/m v1.0.1')
    t.match(again(script, 'v1.0.1'), 'already published, identical: example.com/m v1.0.1')
    t.match(
      again(script, 'v1.0.0'),
      'already published, identical: example.com/m v1.0.0',
      'the command made other bytes of the same content',
    )
  })

  await t.test('a module in a sub-directory, and a zip by curl', async (t) => {
    const sub = here(`${block(README, 'Publish a module', 1).trim().split('\n').at(-1)}`).replace(
      '. v1.0.0',
      'sub v0.5.0',
    )
    const published = shell(`${sub}\n${block(README, 'Publish a module', 2)}`)
    t.match(published, 'published example.com/m/sub v0.5.0')
    t.notMatch(published, 'warning')
    shell('rm m.zip', repo)
  })

  await t.test('from CI', async (t) => {
    const snippets = CI_FILES.map(read)
    for (const [index, snippet] of snippets.entries()) {
      await t.resolves(format(snippet, { parser: 'yaml' }), `${CI_FILES[index]} is YAML`)
      t.match(snippet, /^# .*\n#\n# Copy this /, 'it says where it goes')
      t.match(README, `](${CI_FILES[index]})`, 'the README names it')
    }
    const lines = snippets.flatMap((snippet) =>
      [...snippet.matchAll(/^ +- (?:run: )?(sh ci\/publish-module\.sh .*)$/gm)].map(([, line]) => line ?? ''),
    )
    t.equal(lines.length, 3, 'one for each system')
    shell(
      `mkdir ci && cp '${SCRIPT}' ci/ && git add ci && git -c user.name=x -c user.email=x@example.com commit -qm ci`,
    )
    const settings = 'PLINTH_URL=$PLINTH PLINTH_OWNER=team PLINTH_TOKEN=$TOKEN'
    for (const [index, line] of lines.entries()) {
      const tags = [`v1.1.${index}`, `sub/v0.6.${index}`]
      for (const tag of tags) {
        const ran = shell(
          `git tag ${tag}; export ${settings} GITHUB_REF_NAME=${tag} CI_COMMIT_TAG=${tag}; ${line}`,
        )
        const [version, folder = ''] = tag.split('/').toReversed()
        t.match(ran, `published example.com/m${folder && `/${folder}`} ${version}`)
      }
    }
    const named = [...snippets.join('').matchAll(/^ +(PLINTH_\w+):/gm)].map(([, name]) => name)
    for (const name of new Set(named)) t.match(settings, `${name}=`, 'a variable that the script knows')
  })

  await t.test('install', async (t) => {
    const go = makeGo(`${plinth.url}/api/packages/admin/go`)
    const main = go.newModule()
    for (const line of block(README, 'Install', 1)
      .split('\n')
      .filter((text) => text.startsWith('go '))) {
      const ran = await go.run(line.split(' ').slice(1), main)
      t.equal(ran.code, 0, `${line}: ${ran.stderr}`)
    }
    t.match((await go.run(['mod', 'verify'], main)).stdout, 'all modules verified')
    const files = await makeGo(`file://${plinth.data}/tree/api/packages/admin/go`).run([
      'list',
      '-m',
      'example.com/m@latest',
    ])
    t.equal(files.stdout, 'example.com/m v1.0.1\n', files.stderr)
  })

  await t.test('a file, and deleting', async (t) => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'tool.tar.gz'), 'content')
    shell(block(README, 'Publish a file'), folder)
    t.equal(readFileSync(join(folder, 'tool.tar.gz'), 'utf8'), 'content')
    const statuses = block(README, 'Delete')
      .trim()
      .split('\n')
      .map((line) => shell(`${line} -s -w '%{http_code}'`).slice(-3))
    t.same(statuses, ['204', '204'])
  })
})

t.test('private packages, as the manual says', needs('nginx', 'go', 'openssl', 'curl'), async (t) => {
  const folder = tempFolder('plinth-readme-tls')
  const certificate = execFileSync('sh', ['-euc', `${block(MANUAL, 'TLS')}env | grep ^PLINTH_TLS_`], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const tls = Object.fromEntries(
    certificate
      .trim()
      .split('\n')
      .map((line) => line.split('=', 2) as [string, string]),
  )
  const plinth = await startPlinth(tls)
  t.teardown(plinth.stop)
  const host = plinth.url.replace('https://', '')

  const tokens: Record<string, string> = {}
  const declarations = [
    block(README, 'Owners and accounts'),
    block(MANUAL, 'Owners'),
    block(MANUAL, 'Accounts'),
  ].flatMap(linesOf)
  plinth.cli('owner', 'remove', 'team') // the test's Plinth has it
  for (const line of new Set(declarations)) {
    const words = line.split(' ').slice(1)
    const output = plinth.cli(...words)
    if (words[1] === 'add' || words[1] === 'rotate')
      tokens[words[2] ?? ''] = output.trimEnd().split('\n').at(-1) ?? ''
  }
  for (const owner of ['secret', 'team']) {
    const zip = await simpleModule(owner === 'secret' ? 'example.com/m' : 'example.com/n', 'v1.0.0')
    writeFileSync(join(folder, 'm.zip'), zip)
    const upload = [
      '--cacert',
      join(folder, 'cert.pem'),
      '--user',
      `ci:${tokens['ci']}`,
      '--upload-file',
      'm.zip',
    ]
    execFileSync('curl', ['-sf', ...upload, `${plinth.url}/api/packages/${owner}/go/upload`], { cwd: folder })
  }

  /** Runs a block in a new home, in a module that needs what was published; returns what it printed. */
  const run = (script: string, account: string, modules = ['m']): string => {
    const home = tempFolder('plinth-readme-home')
    const requires = modules.map((module) => `require example.com/${module} v1.0.0\n`).join('')
    writeFileSync(join(home, 'go.mod'), `module example.org/main\n\ngo 1.19\n\n${requires}`)
    return execFileSync('sh', ['-euc', script], {
      cwd: home,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        PLINTH: plinth.url,
        TOKEN: tokens[account],
        SSL_CERT_FILE: join(folder, 'cert.pem'),
        GOPROXY: 'off',
        GOFLAGS: '-modcacherw',
        GOTOOLCHAIN: 'local',
        GOVCS: '*:off',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }
  const downloaded = 'ls "$HOME/go/pkg/mod/example.com"'
  // before 1.24 go looks for the host alone
  const bothHosts = `sed 's/:[0-9]* / /' "\${NETRC:-$HOME/.netrc}" >> "\${NETRC:-$HOME/.netrc}"`
  const withBoth = (script: string): string => script.replace(/^(go (?:get|mod))/m, `${bothHosts}\n$1`)

  t.equal(run(`${withBoth(block(MANUAL, 'Reading private packages'))}${downloaded}`, 'alice'), 'm@v1.0.0\n')
  t.equal(run(`${withBoth(block(MANUAL, 'For CI'))}${downloaded}; test ! -e .ci-netrc`, 'ci'), 'm@v1.0.0\n')
  const airGapped = `export NETRC="$HOME/netrc"; echo "machine ${host} login alice password $TOKEN" > "$NETRC"\n${block(MANUAL, 'Without the internet')}`
  t.equal(run(`${withBoth(airGapped)}${downloaded}`, 'alice'), 'm@v1.0.0\n')
  tokens['wrong'] = 'plinth_wrong'
  t.throws(() => run(block(MANUAL, 'For CI'), 'wrong'), { stderr: /401 Unauthorized/ } as unknown as Error)

  const [, minor = '0'] = /go1\.(\d+)/.exec(execFileSync('go', ['version'], { encoding: 'utf8' })) ?? []
  if (Number(minor) < 24) return t.comment('NOT TESTED: this go has no GOAUTH (1.24)')
  const goauth = block(MANUAL, 'Reading private packages', 1)
    .replaceAll('plinth.example.com', host)
    .replace('alice:TOKEN', `alice:${tokens['alice']}`)
    .replace('ci:TOKEN', `ci:${tokens['ci']}`)
  const proxies = ['secret', 'team'].map((owner) => `${plinth.url}/api/packages/${owner}/go`).join('|')
  const both = `${goauth}GOPROXY='${proxies}' GONOSUMDB=example.com go mod download\n${downloaded}`
  t.equal(run(both, 'alice', ['m', 'n']), 'm@v1.0.0\nn@v1.0.0\n')
})

t.test('the README is read in five minutes', async (t) => {
  t.ok(README.trimEnd().split('\n').length <= 200, 'it has at most 200 lines')
})

const DOCUMENTS = ['README.md', 'scripts/deploy/README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'src/README.md']

const withoutCode = (text: string): string => text.replace(/^```[^]*?^```$/gm, '')

// '## Stop, full disk' → stop-full-disk, as GitHub, GitLab and Gitea make it
const anchorsOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

t.test('every local link leads to a file and a heading that exist', async (t) => {
  for (const from of DOCUMENTS) {
    const links = [...withoutCode(read(from)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    for (const link of links.filter((one) => !/^[a-z]+:/.test(one))) {
      const [path = '', anchor] = link.split('#')
      const to = path === '' ? from : join(dirname(from), path)
      t.ok(existsSync(join(ROOT, to)), `${from}: ${link}`)
      if (anchor !== undefined) t.ok(anchorsOf(read(to)).includes(anchor), `${from}: ${link} is a heading`)
    }
  }
})

t.test('the manual begins with a list of its sections', async (t) => {
  const sections = [...MANUAL.matchAll(/^## (.+)$/gm)].map(([, title]) => title)
  const listed = [...MANUAL.matchAll(/^- \[(.+?)\]\(#/gm)].map(([, title]) => title)
  t.same(listed, sections)
})
