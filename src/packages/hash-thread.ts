// The thread that hashes the files of a version: some seconds for each gigabyte, which must not block the service.

import { parentPort, workerData } from 'node:worker_threads'
import { hashesOf, type Hashes } from '../digest.js'

/** The hashes of the file at `path` (absolute). */
export type HashReply = { path: string; hashes: Hashes }

for (const path of workerData as string[]) {
  const hashed: HashReply = { path, hashes: await hashesOf(path) }
  parentPort?.postMessage(hashed)
}
