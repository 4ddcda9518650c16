// Runs in the threads of a CheckPool in the place of the real check: holds each zip until a file beside it lets it go.

import { existsSync, writeFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { CheckReply, CheckRequest } from '../../src/modzip/check-worker.js'
import { until } from './until.js'

parentPort?.on('message', async ({ path }: CheckRequest) => {
  writeFileSync(`${path}.begun`, String(process.hrtime.bigint()))
  await until(() => existsSync(`${path}.go`))
  parentPort?.postMessage({ reading: { ok: false, problems: [] } } satisfies CheckReply)
  writeFileSync(`${path}.sent`, '')
})
