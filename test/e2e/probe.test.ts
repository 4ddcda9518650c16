// `plinth probe` on real file systems, and a start of Plinth on them. Where one cannot be mounted, its test is skipped.

import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { watch } from '../support/child.js'
import { CLI, plainNode, runCli } from '../support/cli.js'
import { block, MANUAL } from '../support/documents.js'
import { ask, TOKEN } from '../support/http.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { mountAgain, mountImage, mountKind, mountSmall } from '../support/small-file-system.js'
import { start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { runService } from '../support/service.js'

const probe = (...words: string[]): ReturnType<typeof runCli> => runCli({}, ['probe', ...words])

type Json = {
  holds: boolean
  fileSystem: string
  rounds: number
  against?: string
  flaws: { need: string; isWish: boolean; failed: number; breaks: string }[]
}
const inJson = (...words: string[]): Json & { code: number } => {
  const { code, stdout, stderr } = probe(...words, '--json')
  if (stdout === '') throw new Error(stderr)
  return { code, ...(JSON.parse(stdout) as Json) }
}
const needsOf = ({ flaws }: Json): string[] => flaws.filter(({ isWish }) => !isWish).map(({ need }) => need)

/** Runs `body` with the folder of a mounted file system, or skips it with the reason. */
function on(
  mounted: ReturnType<typeof mountKind>,
  what: string,
  body: (t: Test, folder: string) => Promise<void>,
): void {
  const skip = typeof mounted === 'string' ? mounted : false
  void t.test(what, { skip, ...needs('flock') }, async (t) => {
    if (typeof mounted === 'string') return
    t.teardown(mounted.unmount)
    await body(t, mounted.folder)
  })
}

t.test('a folder of this machine', needs('flock'), async (t) => {
  const folder = tempFolder()
  const said = probe(folder, '--rounds', '2')
  t.match(said, {
    code: 0,
    stdout:
      /^.* is on \w+; the other side is a process .*\n2 rounds, 32 needs looked at\n(?:.*a wish.*\n|.*\n)*it holds what/,
  })
  t.match(inJson(folder, '--rounds', '1'), { code: 0, holds: true, rounds: 1, flaws: [] })
  t.same(readdirSync(folder), [], 'nothing is left')

  const bin = tempFolder()
  const script = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const [program, args] = plainNode(CLI)
  const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ')
  script('plinth', `exec ${quoted([program, ...args])} "$@"`)
  script('ssh', `echo "$@" > '${bin}/asked'\nfor last; do :; done\nexec sh -c "$last"`)
  script('kubectl', 'shift 4\nexec "$@"')
  const PATH = `${bin}:${process.env['PATH'] ?? ''}`

  await t.test('wrong words', async (t) => {
    for (const [words, says] of [
      [[], 'probe takes one folder'],
      [[folder, '--rounds', '0'], '--rounds "0": a number from 1'],
      [[folder, '--peer=-oProxyCommand=x'], "a machine's name does not begin so"],
      [[folder, '--peer', './none'], 'a machine, HOST:/DIR, or a folder'],
      [[folder, '--peer', 'x', '--peer-command', 'y'], 'not both'],
      [[folder, '--answer', '--json'], '--answer is the only option then'],
    ] as const)
      t.match(probe(...words), { code: 2, stderr: says }, words.join(' '))
    t.match(probe('/no/such/folder'), { code: 1, stderr: 'there is no folder "/no/such/folder"' })
  })

  await t.test('another side that is none', async (t) => {
    for (const [command, says] of [
      ['echo hello', 'is no "plinth probe DIR --answer": it said "hello"'],
      ['exit 3', 'it ended with exit code 3'],
      ['echo why >&2; exit 1', 'it said: why'],
      [
        `echo '{"plinth":"probe"}'; read x; echo '{"error":"no such folder"}'`,
        'the other side: no such folder',
      ],
      [`echo '{"plinth":"probe"}'; read x; echo no JSON`, 'is no JSON'],
      [`echo '{"plinth":"probe"}'; read x; exit 0`, 'it ended with exit code 0'],
    ] as const)
      t.match(probe(folder, '--peer-command', command), { code: 1, stderr: says }, command)
    const elsewhere = tempFolder()
    const other = quoted([program, ...args, 'probe', elsewhere, '--answer'])
    t.match(probe(folder, '--peer-command', other), {
      code: 1,
      stderr: /does not see .*: is .* the same folder\?/,
    })
    t.same([...readdirSync(folder), ...readdirSync(elsewhere)], [])
  })

  await t.test('a machine that ssh reaches', async (t) => {
    const there = join(folder, "it's a folder")
    mkdirSync(there)
    const said = runCli({ PATH }, ['probe', there, '--peer', 'machine-b', '--rounds', '1'])
    t.match(said, { code: 0, stdout: /; the other side is \S+, on \w+\n/ }, said.stderr)
    t.match(readFileSync(join(bin, 'asked'), 'utf8'), /^-T -- machine-b plinth probe '.*' --answer\n$/)
    const named = runCli({ PATH }, ['probe', folder, '--peer', `user@machine-b:${there}`, '--rounds', '1'])
    t.match(named, { code: 1, stderr: /does not see/ }, 'another folder there')
    t.match(readFileSync(join(bin, 'asked'), 'utf8'), '-T -- user@machine-b plinth probe ')
    rmSync(there, { recursive: true })
    const without = { PATH: `${tempFolder()}:${process.env['PATH'] ?? ''}` }
    t.match(runCli(without, ['probe', folder, '--peer-command', 'plinth probe x --answer']), { code: 1 })
    script('ssh', 'echo "sh: 1: plinth: not found" >&2; exit 127')
    t.match(runCli({ PATH }, ['probe', folder, '--peer', 'b']), {
      code: 1,
      stderr: /needs the command "plinth"/,
    })
    script('ssh', 'for last; do :; done\nexec sh -c "$last"')
  })

  await t.test('the lines of the manual', async (t) => {
    const lines = block(MANUAL, 'Engines')
    const here = lines.replaceAll(/\/srv\/plinth|\/mnt\/second|\/data\b/g, folder)
    const few = here.replaceAll(/^plinth probe/gm, 'plinth probe --rounds 1')
    const env = { ...process.env, PATH }
    const said = execFileSync('sh', ['-euc', few], { encoding: 'utf8', env })
    t.equal(said.split('it holds what Plinth promises').length - 1, 4, said)
  })

  await t.test('what was left long ago is removed, and nothing else', async (t) => {
    const at = (name: string): string => join(folder, name)
    for (const name of ['.plinth-probe-abc', '.plinth-probe-new', '.plinth-probe-a.b']) mkdirSync(at(name))
    for (const name of ['.plinth-probe-abc', '.plinth-probe-a.b']) utimesSync(at(name), 1e9, 1e9)
    t.equal(probe(folder, '--rounds', '1').code, 0)
    t.same(readdirSync(folder), ['.plinth-probe-a.b', '.plinth-probe-new'])
    execFileSync('rm', ['-r', at('.plinth-probe-new'), at('.plinth-probe-a.b')])
  })

  for (const [signal, says] of [
    ['SIGINT', /plinth: stopped in round \d+ of 100000\n/],
    ['SIGTERM', /plinth: stopped in round/],
    ['SIGKILL', undefined], // then the other side cleans up
  ] as const)
    await t.test(`${signal} leaves nothing`, async (t) => {
      const child = spawn(...plainNode(CLI, 'probe', folder, '--rounds', '100000'), {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const { ended, output } = watch(child)
      await until(() => readdirSync(folder).some((name) => existsSync(join(folder, name, 'won-1'))))
      child.kill(signal)
      const { code } = await ended
      if (says) t.match(output(), says)
      if (says) t.equal(code, 1)
      await until(() => readdirSync(folder).length === 0)
      t.same(readdirSync(folder), [])
    })
})

for (const [what, mounted] of [
  ['tmpfs', mountSmall('size=32m,mode=755')],
  ['ext4', mountImage('32M', ['mkfs.ext4', '-q', '-F'])],
  ['xfs', mountImage('320M', ['mkfs.xfs', '-q', '-f'])],
  [
    'overlay',
    mountKind(['mount'], (folder, aside, run) => {
      for (const name of ['lower', 'upper', 'work']) mkdirSync(join(aside, name))
      const at = `lowerdir=${aside}/lower,upperdir=${aside}/upper,workdir=${aside}/work`
      run('mount', '-t', 'overlay', '-o', at, 'overlay', folder)
    }),
  ],
] as const)
  on(mounted, `${what} holds`, async (t, folder) => {
    t.match(inJson(folder, '--rounds', '1'), { code: 0, holds: true, fileSystem: what, flaws: [] })
  })

const seen = tempFolder()
on(mountAgain(seen, 60), 'a second mount that remembers for a minute is stale', async (t, again) => {
  const found = inJson(seen, '--peer', again, '--rounds', '2')
  t.match(found, { code: 1, holds: false, rounds: 2 })
  for (const need of ['appeared', 'grown', 'replaced']) t.ok(needsOf(found).includes(need), need)
  t.match(
    found.flaws.find(({ need }) => need === 'appeared'),
    {
      failed: 1, // in the round in which this side wrote
      breaks: 'a reader of another machine would be told that a version is not there after the 201',
    },
  )
  t.same(readdirSync(seen), [])
})

on(mountAgain(seen, 0), 'a second mount that remembers nothing holds', async (t, again) => {
  t.match(inJson(seen, '--peer', again, '--rounds', '2'), { code: 0, holds: true, flaws: [] })
})

on(mountImage('32M', ['mkfs.exfat'], 'exfat-fuse'), 'exFAT', async (t, folder) => {
  const found = inJson(folder, '--rounds', '1')
  t.match(found, { code: 1, holds: false })
  for (const need of ['link', 'symlinks', 'capital letters', 'modes'])
    t.ok(needsOf(found).includes(need), need)
  t.same(readdirSync(folder), [])

  await t.test('no service starts on it', async (t) => {
    const service = runService(join(folder, 'data'))
    t.match(await service.ended, { code: 1 })
    t.match(
      service.log(),
      /^plinth: PLINTH_DATA=\S+ is on \S+, which cannot hold what plinth promises: .*\n$/,
    )
  })
})

const home = tempFolder()
on(mountAgain(home, 0), 'a Plinth whose file system hangs', async (t, again) => {
  const port = await freePort()
  const run = start({
    PLINTH_DATA: join(again, 'data'),
    PLINTH_LISTEN: `127.0.0.1:${port}`,
    PLINTH_ADMIN_TOKEN: TOKEN,
  })
  const [fuse = 0] = execFileSync('pgrep', ['-f', `bindfs .* ${again}$`], { encoding: 'utf8' })
    .split('\n')
    .map(Number)
  t.teardown(async () => {
    process.kill(fuse, 'SIGCONT')
    run.kill('SIGTERM')
    await run.ended
  })
  await run.until(/plinth: serving/)
  t.match(JSON.parse(readFileSync(join(home, 'data/state/filesystem.json'), 'utf8')), {
    name: /^fuse/,
    lacks: [],
  })
  t.match(await ask(port, 'GET', '/-/health'), { status: 200, body: '{"status":"ok"}\n' })
  process.kill(fuse, 'SIGSTOP')
  const health = fetch(`http://127.0.0.1:${port}/-/health`, { signal: AbortSignal.timeout(1000) })
  await t.rejects(health, { name: 'TimeoutError' }, 'no answer: a balancer sees it by its own timeout')
  process.kill(fuse, 'SIGCONT')
  t.equal((await ask(port, 'GET', '/-/health')).status, 200)
})
