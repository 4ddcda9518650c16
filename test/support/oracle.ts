// Builds and asks the program in test/support/oracle: go's own verdict on a module zip.

import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { buildGoProgram } from './go-program.js'

/** `ms` is the time that CheckZip and the hash took together. */
type GoVerdict = { ok: boolean; error: string; h1: string; ms: number }

/** Compiles the oracle, see {@link buildGoProgram}. Returns the program's path. */
export const buildOracle = (): string => buildGoProgram('oracle')

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
