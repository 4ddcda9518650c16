// Compiles the programs in Go that tests ask, against the toolchain's own copy of golang.org/x/mod.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GO_CACHE } from './go.js'
import { tempFolder } from './temp-folder.js'

const env = {
  ...process.env,
  GOFLAGS: '-mod=mod',
  GOPROXY: 'off',
  GONOSUMDB: '*',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
}

/**
 * Compiles the program in the folder `name` beside this file: nothing is downloaded, and the rules are those of the
 * very go that is installed. Returns the program's path.
 */
export function buildGoProgram(name: string): string {
  const folder = tempFolder(`plinth-${name}`)
  const goroot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8', env }).trim()
  // the language version of the toolchain itself: 'go1.26.8' → 1.26
  const language =
    /^go(\d+\.\d+)/.exec(execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env }))?.[1] ?? '1.18'
  const xmod = join(goroot, 'src/cmd/vendor/golang.org/x/mod')
  if (!existsSync(xmod)) throw new Error(`this go toolchain has no copy of golang.org/x/mod at ${xmod}`)
  cpSync(xmod, join(folder, 'xmod'), { recursive: true, dereference: true })
  writeFileSync(join(folder, 'xmod/go.mod'), `module golang.org/x/mod\n\ngo ${language}\n`)
  cpSync(fileURLToPath(new URL(`../../../test/support/${name}`, import.meta.url)), join(folder, name), {
    recursive: true,
  })
  writeFileSync(
    join(folder, name, 'go.mod'),
    `module ${name}\n\ngo ${language}\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ../xmod\n`,
  )
  execFileSync('go', ['build', '-o', '../asked', '.'], {
    cwd: join(folder, name),
    env: { ...env, GOCACHE: GO_CACHE },
  })
  return join(folder, 'asked')
}
