// Starts the publishers' own process (publisher-process.ts) and sends it steps.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Act } from './steps.js'

const PUBLISHER = fileURLToPath(new URL('./publisher-process.js', import.meta.url))
const IDS = new URL('./known-ids.js', import.meta.url).href

const ON_CEPH = new URL('../support/ceph-times.js', import.meta.url).href

/** Starts the publishers on `data`, which may look like CephFS; resolves when they have recovered. */
export async function startPublisher(data: string, { isCeph = false } = {}) {
  const child = spawn(process.execPath, [PUBLISHER, data], {
    env: {
      ...process.env,
      NODE_OPTIONS: `--import=${IDS}${isCeph ? ` --import=${ON_CEPH}` : ''}`,
      UV_THREADPOOL_SIZE: '1',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const gone = once(child, 'exit')
  const failed = gone.then(() => Promise.reject(new Error('the publisher ended before it was ready')))
  failed.catch(() => {})
  const [{ ready }] = (await Promise.race([once(child, 'message'), failed])) as [{ ready: number }]
  const asked = new Map<number, (result: string | undefined) => void>()
  child.on('message', ({ id, result }: { id: number; result: string }) => asked.get(id)?.(result))
  return {
    /** The thread that makes all calls on files. */
    thread: ready,
    /** What it answered, `undefined` when it died meanwhile. `fresh` makes it forget first what it knows of folders. */
    act: (act: Act, fresh = false): Promise<string | undefined> =>
      new Promise((resolve) => {
        const id = asked.size + 1
        asked.set(id, resolve)
        void gone.then(() => resolve(undefined))
        child.send({ act, id, fresh }, () => {})
      }),
    end: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}
