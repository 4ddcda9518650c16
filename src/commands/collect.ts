// `plinth collect`: gathers what projects need into a folder that is carried to a network without others.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { collect } from '../collect/collect.js'
import { quote } from '../errors.js'
import { WrongUsage, type Command } from './command.js'
import { print } from './print.js'
import { Progress } from './progress.js'

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

export const collectCommand: Command = {
  name: 'collect',
  options: ['out', 'platform'],
  anywhere: () => true,
  usage: `  collect --out DIR [--platform linux/amd64]… PROJECT…
                    gather into DIR what the projects (folders with a go.mod or a go.work) need in a network
                    without others: every version in their go.sum and build list, the toolchains of their go
                    and toolchain lines for the platforms (this machine's by default), and the go.sum lines of
                    all; carry DIR inside, where import takes it. It needs the go command, whose settings count
                    (GOPROXY, GOPRIVATE, …), and no server. Run it again when it was interrupted, or with more
                    projects: what is there is not downloaded again. Exit code 1 when anything is missing, each
                    with a line`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: { out: { type: 'string' }, platform: { type: 'string', multiple: true, default: [] } },
      allowPositionals: true,
    })
    const { out, platform: platforms } = values
    if (!out) throw new WrongUsage('collect needs --out')
    if (positionals.length === 0) throw new WrongUsage('collect takes one project at least')
    for (const platform of platforms)
      if (!/^[a-z0-9]+\/[a-z0-9]+$/.test(platform))
        throw new WrongUsage(
          `--platform ${quote(platform)}: such as linux/amd64, darwin/arm64, windows/amd64`,
        )

    const stopped = new AbortController()
    const stop = (): void => stopped.abort()
    process.once('SIGINT', stop).once('SIGTERM', stop) // a second signal ends the process
    const progress = new Progress()
    try {
      const request = {
        out: resolve(out),
        platforms,
        projects: [...new Set(positionals.map((one) => resolve(one)))],
      }
      const { totals, toolchains } = await collect(request, stopped.signal, (event, { done, of, bytes }) => {
        if ('reason' in event) {
          progress.clear()
          const [first, ...more] = event.reason.split('\n')
          print([`${event.what}: not collected: ${first}`, ...more.map((line) => `  ${line.trim()}`)])
        } else if (of === 0) progress.show(event.doing)
        else progress.showCount('versions', done, of, `${megabytes(bytes)}: ${event.doing}`)
      })
      progress.clear()
      const { done, before, failed, bytes } = totals
      print(
        `${done - before} versions collected, ${before} there already, ${failed} not collected, ${megabytes(bytes)}`,
      )
      if (toolchains.length > 0) print(`toolchains: ${toolchains.join(', ')}`)
      return failed > 0 ? 1 : 0
    } catch (error) {
      progress.clear()
      throw stopped.signal.aborted ? new Error('stopped: run it again to go on', { cause: error }) : error
    } finally {
      process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
    }
  },
}
