// Builds and asks the program in test/support/oracle: go's own verdict on a module zip.

import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { GO_CACHE } from './go.js'
import { tempFolder } from './temp-folder.js'

/** `ms` is the time that CheckZip and the hash took together. */
type GoVerdict = { ok: boolean; error: string; h1: string; ms: number }

const env = {
  ...process.env,
  GOFLAGS: '-mod=mod',
  GOPROXY: 'off',
  GONOSUMDB: '*',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
}

/**
 * Compiles the oracle against the toolchain's own copy of golang.org/x/mod: nothing is downloaded, and the rules are
 * those of the very go that is installed. Returns the program's path.
 */
export function buildOracle(): string {
  const folder = tempFolder('plinth-oracle')
  const goroot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8', env }).trim()
  // the language version of the toolchain itself: 'go1.26.8' → 1.26
  const language =
    /^go(\d+\.\d+)/.exec(execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env }))?.[1] ?? '1.18'
  const xmod = join(goroot, 'src/cmd/vendor/golang.org/x/mod')
  if (!existsSync(xmod)) throw new Error(`this go toolchain has no copy of golang.org/x/mod at ${xmod}`)
  cpSync(xmod, join(folder, 'xmod'), { recursive: true, dereference: true })
  writeFileSync(join(folder, 'xmod/go.mod'), `module golang.org/x/mod\n\ngo ${language}\n`)
  cpSync(fileURLToPath(new URL('../../../test/support/oracle', import.meta.url)), join(folder, 'oracle'), {
    recursive: true,
  })
  writeFileSync(
    join(folder, 'oracle/go.mod'),
    `module oracle\n\ngo ${language}\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ../xmod\n`,
  )
  execFileSync('go', ['build', '-o', '../asked', '.'], {
    cwd: join(folder, 'oracle'),
    env: { ...env, GOCACHE: GO_CACHE },
  })
  return join(folder, 'asked')
}

/** What the oracle packs: a folder as it is, or with `rev` and `subdir` a commit of the checkout at `dir`. */
type GoPacking = { dir: string; rev?: string; subdir?: string; module: string; version: string }

/** A running oracle: `say` sends it a line and gives its answer, in the order of asking. */
function startLines<Answer>(program: string, args: string[]) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  createInterface({ input: child.stdout }).on('line', (line) =>
    waiting.shift()?.resolve(JSON.parse(line) as Answer),
  )
  child.stdin.on('error', () => {}) // it is gone: 'close' follows
  child.once('close', (code) => {
    for (const { reject } of waiting) reject(new Error(`the oracle ended with ${String(code)}`))
  })
  return {
    say: (line: string): Promise<Answer> =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        child.stdin.write(`${line}\n`)
      }),
    stop: (): void => void child.stdin.end(),
  }
}

/** A running oracle: `ask` gives the verdict on the zip at a path; with the argument `pack`, `pack` that on a packing. */
export function startOracle(program: string, ...args: string[]) {
  const { say, stop } = startLines<GoVerdict>(program, args)
  return { ask: say, pack: (packing: GoPacking): Promise<GoVerdict> => say(JSON.stringify(packing)), stop }
}

/** What go reads in a go.mod or in the files of a package. `error` tells why it reads nothing. */
export type GoFacts = {
  error?: string
  module?: string
  deprecated?: string
  go?: string
  requires: { path: string; version: string; indirect?: true }[]
  retracts: { low: string; high: string; rationale: string }[]
  name?: string
  synopsis?: string
}

/** A running oracle that says what go reads in a go.mod, and in the files of a package: name → source. */
export function startFactsOracle(program: string) {
  const { say, stop } = startLines<GoFacts>(program, ['facts'])
  return {
    goMod: (goMod: string): Promise<GoFacts> => say(JSON.stringify({ goMod })),
    package: (files: Record<string, string>): Promise<GoFacts> => say(JSON.stringify({ files })),
    stop,
  }
}

/**
 * Per code point that is a letter or folds to another: [is a letter, folds to]; and the toolchain's Unicode version.
 */
export function goRunes(program: string): { unicode: string; runes: Map<number, [boolean, number]> } {
  const [unicode = '', ...lines] = execFileSync(program, ['runes'], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .trim()
    .split('\n')
  const runes = new Map<number, [boolean, number]>()
  for (const line of lines) {
    const [rune, letter, folded] = line.split(' ')
    runes.set(Number(rune), [letter === 'true', Number(folded)])
  }
  return { unicode, runes }
}
