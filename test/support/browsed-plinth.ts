// A whole Plinth and a browser for it, and what tests of its pages do with both.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { BrowserContextOptions } from 'playwright-core'
import { startBrowser, type Watched } from './browser.js'
import { startPlinth } from './plinth.js'
import { until } from './until.js'
import { moduleZip, type Files } from './zips.js'

export type BrowsedPlinth = Awaited<ReturnType<typeof startBrowsedPlinth>>

/** Starts both; they end with the test. `env` holds further settings of the Plinth. */
export async function startBrowsedPlinth(t: Test, env: Record<string, string> = {}) {
  const plinth = await startPlinth(env)
  t.teardown(() => plinth.stop())
  const browser = await startBrowser()
  t.teardown(() => browser.close())
  return {
    ...plinth,
    /** A page with a profile of its own. `origin` is the only one that it may ask. */
    open: (options: BrowserContextOptions = {}, origin = plinth.url): Promise<Watched> =>
      browser.open(origin, options),
    /** Publishes a file; throws unless that succeeds. */
    async file(owner: string, name: string, version: string, file: string, body: string): Promise<void> {
      const names = [name, version, file].map(encodeURIComponent).join('/')
      const { status, body: said } = await plinth.ask('PUT', `/api/packages/${owner}/generic/${names}`, {
        body,
      })
      if (status !== 201) throw new Error(`${owner} ${name} ${version} ${file}: ${status} ${said}`)
    },
    /** Publishes a module with these files and gives back its zip; throws unless that succeeds. */
    async module(owner: string, module: string, version: string, files: Files): Promise<Buffer> {
      const zip = await moduleZip(module, version, files)
      const { status, body: said } = await plinth.publish(zip, owner)
      if (status !== 201) throw new Error(`${owner} ${module} ${version}: ${status} ${said}`)
      return zip
    },
    /** Resolves when the pages of all owners have followed. */
    followed: (): Promise<void> => until(() => readdirSync(join(plinth.data, 'state/due')).length === 0),
  }
}

/** Fails when something went wrong in the page, but for `expected`, or when it asked another host. Forgets what was. */
export function nothingWrong(t: Test, watched: Watched, what: string, expected?: RegExp): void {
  const problems = watched.problems.splice(0).filter((problem) => expected?.test(problem) !== true)
  t.same(problems, [], `${what}: no problem`)
  t.same(watched.outside.splice(0), [], `${what}: no request to another host`)
}
