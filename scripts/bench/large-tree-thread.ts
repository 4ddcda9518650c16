// A thread that writes modules of a large tree. It tells of each.

import { join } from 'node:path'
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { writeModule, type TreeShape } from './module-files.js'

/** `from` and the modules after it in steps of `step`. */
export type Part = { data: string; shape: TreeShape; from: number; step: number }

const { data, shape, from, step } = workerData as Part
for (let nth = from; nth < shape.modules; nth += step) {
  await writeModule(data, shape, nth, join(data, `state/tmp/${threadId}.zip`))
  parentPort?.postMessage(nth)
}
