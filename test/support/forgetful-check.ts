// Runs in the threads of a CheckPool in the place of the real check: takes all memory, unless the README stays plain.

import { existsSync, writeFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { CheckReply, CheckRequest } from '../../src/modzip/check-worker.js'

parentPort?.on('message', ({ mod, facts, plainReadme }: CheckRequest) => {
  for (const path of [mod, facts]) if (path !== undefined) writeFileSync(path, '', { flag: 'wx' })
  const held: string[][] = []
  if (plainReadme !== true) for (;;) held.push(Array.from({ length: 1000 }, (_, i) => `${held.length} ${i}`))
  const problems = [{ rule: existsSync(facts ?? '') ? 'plain' : 'none' }]
  parentPort?.postMessage({ reading: { ok: false, problems } } satisfies CheckReply)
})
