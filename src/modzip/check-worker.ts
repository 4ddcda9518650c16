// The thread in which module zips are read: inflating 500 MB must not keep others waiting.

import { parentPort } from 'node:worker_threads'
import { readModuleZip } from './read-zip.js'

/** What the worker is asked, and what it answers. `errno` is that of a failed system call. */
export type CheckRequest = { path: string }
export type CheckReply =
  { reading: Awaited<ReturnType<typeof readModuleZip>> } | { error: string; errno: string | undefined }

parentPort?.on('message', async ({ path }: CheckRequest) => {
  let reply: CheckReply
  try {
    reply = { reading: await readModuleZip(path) }
  } catch (error) {
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
    reply = { error: error instanceof Error ? error.message : String(error), errno: code }
  }
  parentPort?.postMessage(reply)
})
