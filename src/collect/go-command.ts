// Runs the go command, with the settings of its user: GOPROXY, GOPRIVATE, .netrc and all others count.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { environment } from '../config.js'
import { errno } from '../errors.js'

/** `cwd` is absolute. `env` is put over the user's environment. `signal` ends go. */
export type GoRun = { cwd: string; env?: Record<string, string>; signal?: AbortSignal }

/** What go said. `errors` are the lines of its standard error that say more than what it downloads. */
type Said = { code: number; stdout: string; errors: string }

// The token of a Plinth is nothing for go, and for what go starts.
const env = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment()).filter(([name]) => name !== 'PLINTH_TOKEN'))

const NEWS = /^go: (?:downloading|finding|found|added|upgraded|downgraded) /

/** Runs go. Rejects when there is no go, and when it was ended; a failure of go is its exit code. */
export async function runGo(
  { cwd, env: more = {}, signal }: GoRun,
  ...words: readonly string[]
): Promise<Said> {
  signal?.throwIfAborted()
  const child = spawn('go', words, {
    cwd,
    env: { ...env(), ...more, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  })
  try {
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    const errors = stderr
      .split('\n')
      .filter((line) => line.trim() !== '' && !NEWS.test(line))
      .join('\n')
    return { code: code ?? 1, stdout, errors }
  } catch (error) {
    if (errno(error) === 'ENOENT')
      throw new Error('there is no go in PATH: collect needs the go command, from https://go.dev/dl', {
        cause: error,
      })
    throw error
  }
}

/** {@link runGo} that must succeed. Throws what go said otherwise. Returns what it printed. */
export async function mustRunGo(run: GoRun, ...words: readonly string[]): Promise<string> {
  const { code, stdout, errors } = await runGo(run, ...words)
  if (code !== 0) throw new Error(errors || `go ${words.slice(0, 2).join(' ')} ended with code ${code}`)
  return stdout
}

// '{\n\t"Path": …\n}\n{\n\t"Path": …\n}\n' → two objects
/** The objects that `go … -json` prints one after the other. What is cut off is left out. */
export function objectsIn(stdout: string): Record<string, unknown>[] {
  return stdout.split(/^(?=\{)/m).flatMap((text) => {
    try {
      return [JSON.parse(text) as Record<string, unknown>]
    } catch {
      return []
    }
  })
}
