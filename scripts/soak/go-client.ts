// The real go as a client.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeGo } from '../../test/support/go.js'
import { needs } from '../../test/support/programs.js'

export class GoClient {
  /** go in a folder of its own, with our GOPROXY. */
  readonly #go: ReturnType<typeof makeGo>

  private constructor(proxy: string) {
    this.#go = makeGo(proxy)
  }

  /** go with `proxy` as its GOPROXY; `undefined` where there is no go. */
  static find(proxy: string): GoClient | undefined {
    return needs('go').skip === undefined ? new GoClient(proxy) : undefined
  }

  /** Downloads `module@version` into an empty cache. Resolves with what is wrong, `undefined` for nothing. */
  async download(what: string): Promise<string | undefined> {
    const cache = join(this.#go.env.HOME, 'downloads')
    const { code, stderr, stdout } = await this.#go.run(['mod', 'download', '-json', what], undefined, {
      GOMODCACHE: cache,
      GONOSUMDB: '*',
    })
    rmSync(cache, { recursive: true, force: true })
    return code === 0 ? undefined : stderr || stdout
  }
}
