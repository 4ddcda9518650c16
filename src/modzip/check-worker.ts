// The thread in which module zips are read: inflating 500 MB must not block the service's own thread.

import { parentPort } from 'node:worker_threads'
import { errno, messageOf } from '../errors.js'
import { readModuleZip, type ZipReading } from './read-zip.js'

/** A message to the thread, and its answer. `errno` is that of a failed system call. */
export type CheckRequest = { path: string }
export type CheckReply = { reading: ZipReading } | { error: string; errno: string | undefined }

parentPort?.on('message', async ({ path }: CheckRequest) => {
  let reply: CheckReply
  try {
    reply = { reading: await readModuleZip(path) }
  } catch (error) {
    reply = { error: messageOf(error), errno: errno(error) }
  }
  parentPort?.postMessage(reply)
})
