// Importing a module cache through a running service; beside it, where PLINTH_BENCH_OTHER names one, another build of
// Plinth with the same cache. PLINTH_BENCH_MODULES names a folder of real modules instead of those that are made here.

import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NODE_ENV, NODE_FLAGS } from '../../src/service/node-flags.js'
import { watch } from '../../test/support/child.js'
import { newData } from '../../test/support/service.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { sourceModule } from './modules.js'
import { forgetPeak, peakOf } from './processes.js'
import { inTurns, type Bench, type Row, type Scale } from './row.js'

const HERE = fileURLToPath(new URL('../../../', import.meta.url))

/** Modules with some versions each, of sizes as they are found: most small, some large. */
function makeCache(modules: number): string {
  const folder = tempFolder('plinth-bench')
  for (let n = 0; n < modules; n++)
    for (let minor = 0; minor < 3; minor++) {
      const [path, version] = [`example.com/group${n % 7}/m${n}`, `v1.${minor}.0`]
      const file = join(folder, path, '@v', `${version}.zip`)
      mkdirSync(dirname(file), { recursive: true })
      const bytes = n % 10 === 0 ? 5_000_000 : 300_000
      writeFileSync(file, sourceModule(path, version, bytes, bytes / 10_000))
    }
  return folder
}

/** Imports the cache into a new data folder with the Plinth that is built in `checkout`. */
async function importOnce(checkout: string, cache: string): Promise<{ ms: number; peakMb?: number }> {
  const data = await newData()
  const env = { ...NODE_ENV, ...process.env, NODE_OPTIONS: '', PLINTH_DATA: data }
  const build = join(checkout, 'build/src')
  const child = spawn(process.execPath, [...NODE_FLAGS, join(build, 'main.js')], { env })
  const service = watch(child)
  await service.until(/"event":"ready"/)
  forgetPeak(child.pid ?? 0)
  const begin = performance.now()
  const command = watch(
    spawn(process.execPath, [join(build, 'cli.js'), 'import', cache, '--owner', 'admin'], { env }),
  )
  const { code } = await command.ended
  const ms = performance.now() - begin
  if (code !== 0) throw new Error(`the import failed: ${command.output()}`)
  const peak = peakOf(child.pid ?? 0)
  child.kill('SIGTERM')
  await service.ended
  rmSync(data, { recursive: true, force: true })
  return { ms, ...peak }
}

export const imports: Bench = {
  name: 'import',
  what: 'importing a module cache; PLINTH_BENCH_OTHER=CHECKOUT beside another build of Plinth',
  needs: [],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const { PLINTH_BENCH_OTHER: other, PLINTH_BENCH_MODULES: real } = process.env
    const cache = real ?? makeCache(size(70, 2))
    const measured = await inTurns(rounds(5), {
      ours: () => importOnce(HERE, cache),
      ...(other && { base: () => importOnce(other, cache) }),
    })
    const { ours, base } = measured as Record<'ours', { ms: number; peakMb?: number }[]> & {
      base?: { ms: number }[]
    }
    const peaks = ours.flatMap(({ peakMb }) => peakMb ?? [])
    yield {
      name: real === undefined ? 'import of a module cache' : 'import of real modules',
      unit: 'ms',
      ours: ours.map(({ ms }) => ms),
      ...(base && { base: base.map(({ ms }) => ms), baseName: 'the other build', goal: '≤ 0.5' }),
      ...(peaks.length > 0 && { peakMb: Math.max(...peaks) }),
    }
  },
}
