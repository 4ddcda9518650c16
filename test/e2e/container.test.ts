// The Containerfile's steps, run by buildah without a daemon, on Debian from debootstrap with this machine's node. What
// they make is run in a container: a read-only root, its user, no capabilities.
//
// It takes minutes: PLINTH_TEST_DEBIAN=1 asks for it, as test/support/debian.ts says.

import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import t from 'tap'
import { watch } from '../support/child.js'
import { bareDebian, needsDebian } from '../support/debian.js'
import { block, MANUAL, read, ROOT } from '../support/documents.js'
import { ask, AUTH, TOKEN } from '../support/http.js'
import { freePort } from '../support/port.js'
import { makeRelease } from '../support/release.js'
import { tempFolder } from '../support/temp-folder.js'

const FOLDER = 'scripts/deploy/container'
const CONTAINERFILE = read(`${FOLDER}/Containerfile`)
const COMPOSE = read(`${FOLDER}/compose.yaml`)

t.test('the files', async (t) => {
  await t.resolves(format(COMPOSE, { parser: 'yaml' }), 'compose.yaml is YAML')
  for (const [, path = ''] of CONTAINERFILE.matchAll(/\/opt\/plinth\/(scripts\/\S+?)["\s]/g))
    t.ok(existsSync(join(ROOT, path)), path)
  t.match(COMPOSE, `dockerfile: ${FOLDER}/Containerfile`)
  t.match(COMPOSE, 'read_only: true')
  t.match(block(MANUAL, 'In a container'), `-f ${FOLDER}/Containerfile .`, 'the manual builds it')
})

/** What an image says of how it is run. */
type ImageConfig = {
  User: string
  Cmd: string[]
  Env: string[]
  Volumes: Record<string, object>
  StopSignal: string
  Healthcheck: { Test: string[] }
}

t.test('the image', needsDebian('the image', 'buildah'), async (t) => {
  const work = tempFolder('plinth-container')
  const run = (program: string, words: string[], cwd = work): string =>
    execFileSync(program, words, {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', STORAGE_DRIVER: 'vfs' },
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 26,
    })
  const buildah = (...words: string[]): string =>
    run('buildah', ['--root', `${work}/images`, '--runroot', `${work}/running`, ...words]).trim()

  const debian = bareDebian(work)
  if ('skip' in debian) return void t.pass('no Debian', debian)
  const base = buildah('from', 'scratch')
  run('tar', ['-C', debian.root, '-cf', 'debian.tar', '.'])
  buildah('add', '-q', base, join(work, 'debian.tar'), '/')
  buildah('commit', '-q', base, 'localhost/node')

  const version = '0.0.1-image'
  run('tar', ['-xzf', makeRelease(work, version, { withModules: true })])
  const build = ['bud', '-q', '--isolation', 'chroot', '--format', 'docker', '-t', 'localhost/plinth']
  buildah(
    ...build,
    '--build-arg',
    'NODE_IMAGE=localhost/node',
    '-f',
    join(ROOT, FOLDER, 'Containerfile'),
    join(work, `plinth-${version}`),
  )
  const { Docker } = JSON.parse(buildah('inspect', '--type', 'image', 'localhost/plinth')) as {
    Docker: { config: ImageConfig }
  }
  const image = Docker.config
  t.same(Object.keys(image.Volumes), ['/data'], 'one volume')
  t.equal(image.StopSignal, 'SIGTERM')
  t.equal(image.Healthcheck.Test[0], 'CMD', 'no shell in between')
  const root = buildah('mount', buildah('from', 'localhost/plinth'))
  const passwd = readFileSync(join(root, 'etc/passwd'), 'utf8')
  const uid = Number(new RegExp(`^${image.User}:x:(\\d+):`, 'm').exec(passwd)?.[1])
  t.ok(uid > 0, 'not root')
  t.notOk(existsSync(join(root, 'opt/plinth/node_modules/typescript')))

  const data = join(work, 'data')
  mkdirSync(data)
  chownSync(data, uid, uid)
  const port = await freePort()
  const settings = [...image.Env, `PLINTH_LISTEN=127.0.0.1:${port}`, `PLINTH_ADMIN_TOKEN=${TOKEN}`]
  const nspawn = (name: string, command: string[]): [string, string[]] => [
    'systemd-nspawn',
    [
      '--quiet',
      `--directory=${root}`,
      '--read-only',
      `--bind=${data}:/data`,
      '--tmpfs=/tmp',
      `--user=${image.User}`,
      '--chdir=/data',
      '--drop-capability=all',
      '--no-new-privileges=yes',
      '--register=no',
      '--keep-unit',
      `--kill-signal=${image.StopSignal}`,
      `--machine=plinth-${name}-${process.pid}`,
      ...settings.map((one) => `--setenv=${one}`),
      // nspawn would hear of the state of what it runs; podman and docker do not
      'env',
      '-u',
      'NOTIFY_SOCKET',
      ...command,
    ],
  ]
  const container = spawn(...nspawn('serving', image.Cmd), { stdio: ['ignore', 'pipe', 'pipe'] })
  const serving = watch(container)
  await serving.until(/plinth: serving \/data/)
  const path = '/api/packages/admin/generic/tool/1/a'
  t.equal((await ask(port, 'PUT', path, { body: 'a', auth: AUTH })).status, 201)
  t.equal((await ask(port, 'GET', path)).body, 'a')
  t.same(readdirSync(data).sort(), ['access', 'inbox', 'state', 'tree'])

  const health = (name: string): number => {
    try {
      run(...nspawn(name, image.Healthcheck.Test.slice(1)))
      return 0
    } catch (error) {
      return (error as { status: number }).status
    }
  }
  t.equal(health('healthy'), 0)
  container.kill('SIGTERM')
  t.same(await serving.ended, { code: 0, signal: null }, 'it stops by its signal')
  t.match(serving.output(), 'plinth: stopping on SIGTERM')
  t.equal(health('ill'), 1, 'nobody answers')
  buildah('umount', '--all')
})
