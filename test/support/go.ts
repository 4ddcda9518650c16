// The real go, with caches of its own and no way to the outside.

import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import './programs.js'
import { tempFolder } from './temp-folder.js'

/** go's compiled standard library, kept between runs; one for each user of the machine. */
export const GO_CACHE = join(tmpdir(), `plinth-test-gocache-${process.getuid?.() ?? 0}`)

type GoResult = { code: number; stdout: string; stderr: string }

/** The real go: a folder, caches of its own, and only the proxies that are given. */
export function makeGo(proxies: string, env: Record<string, string> = {}) {
  const folder = tempFolder('plinth-go')
  const own = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    GOPATH: join(folder, 'gopath'),
    GOCACHE: GO_CACHE,
    GOMODCACHE: join(folder, 'modcache'),
    GOBIN: join(folder, 'bin'),
    GOPROXY: proxies,
    GONOSUMDB: 'example.com',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '-modcacherw',
    GOENV: 'off',
    GOVCS: '*:off',
    CGO_ENABLED: '0',
  }
  let modules = 0
  const run = (args: string[], cwd = folder, more: Record<string, string> = {}): Promise<GoResult> =>
    new Promise((resolve) => {
      execFile('go', args, { cwd, env: { ...own, ...env, ...more } }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
      )
    })
  return {
    run,
    bin: own.GOBIN,
    env: { ...own, ...env },
    /** A new main module to `go get` into; returns its folder. */
    newModule: (source = 'package main\n\nfunc main() {}\n'): string => {
      const at = join(folder, `main${++modules}`)
      mkdirSync(at)
      writeFileSync(join(at, 'go.mod'), 'module example.org/main\n\ngo 1.19\n')
      writeFileSync(join(at, 'main.go'), source)
      return at
    },
  }
}

/** What {@link makeGo} sets, as it is for a person who has set nothing. */
const DEFAULTS = { GOPROXY: '', GONOSUMDB: '', GOFLAGS: '', GOENV: '', GOVCS: '' }

/**
 * The go on `path`, with go's own defaults and a home of its own, which has this netrc. With the folder of go alone as
 * `path` there is no program, git say, that could fetch a module.
 */
export function goAtHome(path: string, netrc: string, env: Record<string, string>) {
  const home = tempFolder('plinth-home')
  writeFileSync(join(home, '.netrc'), netrc, { mode: 0o600 })
  return makeGo('', { ...DEFAULTS, PATH: path, HOME: home, ...env })
}
