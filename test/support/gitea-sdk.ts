// Builds and runs the program in test/support/gitea-sdk: calls of Gitea's own SDK.

import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { GO_CACHE } from './go.js'
import { tempFolder } from './temp-folder.js'

const SOURCE = fileURLToPath(new URL('../../../test/support/gitea-sdk', import.meta.url))

/** What a call of the SDK gave. `next` and `last` are pages of the header Link. */
export type SdkResult<T> = {
  value: T
  status: number
  total?: string
  next?: number
  last?: number
  error?: string
}

/** Builds the program with the SDK from where this machine's go gets its modules. Returns its path, or why not. */
export function buildSdk(): { program: string } | { missing: string } {
  const program = join(tempFolder('plinth-sdk'), 'gitea-sdk')
  try {
    execFileSync('go', ['build', '-trimpath', '-o', program, '.'], {
      cwd: SOURCE,
      env: {
        ...process.env,
        GOCACHE: GO_CACHE,
        GOFLAGS: '-mod=readonly',
        GOTOOLCHAIN: 'local',
        GOWORK: 'off',
      },
      stdio: 'pipe',
    })
    return { program }
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error)
    return { missing: said.trim().split('\n').slice(-3).join('; ') }
  }
}

/** Runs the calls of one client, each as `list OWNER TYPE …` has it, and resolves with their results. */
export async function callSdk<T = Record<string, unknown>>(
  program: string,
  { url, token = '' }: { url: string; token?: string },
  ...calls: string[]
): Promise<SdkResult<T>[]> {
  const { stdout } = await promisify(execFile)(program, [url, token, ...calls])
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as SdkResult<T>)
}
