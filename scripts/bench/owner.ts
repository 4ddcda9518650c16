// What it costs to publish into an owner that has many packages, and what a rebuild of them does to others.

import { spawn } from 'node:child_process'
import { linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { genericFile } from '../../src/layout.js'
import { CLI, plainNode } from '../../test/support/cli.js'
import { startPlinth, type Plinth } from '../../test/support/plinth.js'
import { until } from '../../test/support/until.js'
import { simpleModule } from '../../test/support/zips.js'
import { expecting } from './answers.js'
import { forgetPeak, peakOf } from './processes.js'
import { inTurns, quantile, timed, type Bench, type Row, type Scale } from './row.js'

/** Makes `packages` generic packages of the owner `admin` in a data folder, as if somebody had copied them there. */
function fillOwner(data: string, packages: number): void {
  const fileOf = (n: number): string =>
    join(data, genericFile({ owner: 'admin', name: `package-${n}`, version: '1.0.0' }, 'file'))
  for (let n = 0; n < packages; n++) {
    mkdirSync(dirname(fileOf(n)), { recursive: true })
    if (n === 0) writeFileSync(fileOf(0), 'content')
    else linkSync(fileOf(0), fileOf(n))
  }
}

/** Runs `plinth rebuild` beside the service, and small uploads of another owner meanwhile. Resolves with their times. */
async function uploadDuringRebuild(plinth: Plinth): Promise<{ uploads: number[]; rebuild: number }> {
  const [program, args] = plainNode(CLI, 'rebuild', '--owner', 'admin')
  const began = performance.now()
  const child = spawn(program, args, { env: { ...process.env, PLINTH_DATA: plinth.data }, stdio: 'ignore' })
  const ended = new Promise<number>((resolve) => child.once('exit', () => resolve(performance.now() - began)))
  const over = new AbortController()
  void ended.then(() => over.abort())
  const uploads: number[] = []
  for (let n = 0; !over.signal.aborted; n++)
    uploads.push(
      await timed(() =>
        expecting(
          201,
          plinth.ask('PUT', `/api/packages/team/generic/small/${n}/file`, { body: 'x'.repeat(1024) }),
        ),
      ),
    )
  return { uploads, rebuild: await ended }
}

export const owner: Bench = {
  name: 'owner',
  what: 'publishing into an owner with 10,000 packages, and beside a rebuild of them',
  needs: ['nginx'],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const plinth = await startPlinth()
    const packages = size(10_000, 200)
    fillOwner(plinth.data, packages)
    forgetPeak(plinth.shimPid())
    const { uploads, rebuild } = await uploadDuringRebuild(plinth)
    const counted = packages.toLocaleString('en')
    const peak = peakOf(plinth.shimPid())
    yield { name: `rebuild of ${counted} packages beside the service`, unit: 'ms', ours: [rebuild], ...peak }
    yield {
      name: `p99 of ${uploads.length} uploads of 1 KiB meanwhile`,
      unit: 'ms',
      ours: [quantile(uploads, 0.99)],
      goal: '< 250 ms',
    }
    let next = 0
    const publishTo = (to: string) => async (): Promise<number> => {
      const zip = await simpleModule(`example.com/m${next++}`, 'v1.0.0')
      return timed(() => expecting(201, plinth.publish(zip, to)))
    }
    forgetPeak(plinth.shimPid())
    const measured = await inTurns(rounds(61), { many: publishTo('admin'), none: publishTo('team') })
    await until(() => readdirSync(join(plinth.data, 'state/due')).length === 0)
    const row = {
      name: `publish a module into an owner with ${counted} packages`,
      unit: 'ms',
      ours: measured.many,
      base: measured.none,
      baseName: 'into one with few',
      goal: '≤ 1.1',
      ...peakOf(plinth.shimPid()),
    }
    await plinth.stop()
    yield row
  },
}
