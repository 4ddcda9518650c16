// A large tree, made on all processors: some 2,000 versions a second each.

import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { readConfig } from '../../src/config.js'
import { ownerViews } from '../../src/layout.js'
import { Parts } from '../../src/service/parts.js'
import { logLineText } from '../../src/views/feed.js'
import type { Part } from './large-tree-thread.js'
import { moduleAt, timeOf, versionOf, type TreeShape } from './module-files.js'

const VERSIONS_OF_EACH = 50
const THREAD = new URL('./large-tree-thread.js', import.meta.url)

type Filling = { versionsOfEach?: number; onModule?: () => void }

/**
 * Fills the data folder `data`, which had its first run, with so many versions of modules of the owner `admin`.
 * `onModule` is called after each module.
 */
export async function fillTree(
  data: string,
  count: number,
  { versionsOfEach = VERSIONS_OF_EACH, onModule = () => {} }: Filling = {},
): Promise<void> {
  const versions = Math.min(count, versionsOfEach)
  const modules = Math.ceil(count / versions)
  const shape: TreeShape = { modules, versions, begun: Math.floor(Date.now() / 1000) - modules }
  const step = availableParallelism()
  const part = (from: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const workerData: Part = { data, shape, from, step }
      const worker = new Worker(THREAD, { workerData })
      worker.on('message', onModule)
      worker.on('error', reject)
      worker.on('exit', () => resolve())
    })
  await Promise.all(Array.from({ length: step }, (_, from) => part(from)))
  for (const name of readdirSync(join(data, 'state/tmp'))) rmSync(join(data, 'state/tmp', name))
  writeLog(data, shape)
  const parts = new Parts(readConfig({ PLINTH_DATA: data }), () => {})
  await parts.ownerViews.remake('admin')
  parts.ownerViews.stop()
}

function writeLog(data: string, shape: TreeShape): void {
  const log = join(data, ownerViews('admin').log)
  mkdirSync(dirname(log), { recursive: true })
  writeFileSync(log, '')
  let lines = ''
  for (let nth = 0; nth < shape.modules; nth++) {
    const timestamp = timeOf(shape, nth).toISOString()
    for (let n = 0; n < shape.versions; n++)
      lines += logLineText({ path: moduleAt(nth).module, version: versionOf(n), timestamp })
    if (lines.length < 2 ** 20 && nth < shape.modules - 1) continue
    appendFileSync(log, lines)
    lines = ''
  }
}
