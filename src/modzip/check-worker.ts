// The thread in which module zips are read: inflating 500 MB must not block the service's own thread.

import { parentPort } from 'node:worker_threads'
import { errno, messageOf } from '../errors.js'
import { readModuleZip, type ZipReading, type ZipReadOptions } from './read-zip.js'
import { LargeDirectory } from './zip-directory.js'

/** A message to the thread. */
export type CheckRequest = ZipReadOptions & { path: string }
/** Its answer. `errno` is that of a failed system call. */
export type CheckReply =
  { reading: ZipReading } | { largeDirectory: true } | { error: string; errno: string | undefined }

async function answer({ path, ...options }: CheckRequest): Promise<CheckReply> {
  try {
    return { reading: await readModuleZip(path, options) }
  } catch (error) {
    if (error instanceof LargeDirectory) return { largeDirectory: true }
    return { error: messageOf(error), errno: errno(error) }
  }
}

parentPort?.on('message', async (request: CheckRequest) => {
  parentPort?.postMessage(await answer(request))
})
