// The publishers in a process of their own, which tests trace and kill. `publisher-process.js DATA` recovers, sends
// `ready`, then performs the steps that messages name, one after the other. Run it with UV_THREADPOOL_SIZE=1: then one
// thread makes every call on files, in order.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readlink, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readConfig } from '../../src/config.js'
import { Parts } from '../../src/service/parts.js'
import { readModuleZip } from '../../src/modzip/read-zip.js'
import { Refusal } from '../../src/errors.js'
import { tempFolder } from '../support/temp-folder.js'
import { simpleModule, sumsOf } from '../support/zips.js'
import type { Act } from './steps.js'

const data = process.argv[2] ?? ''
const openParts = (): Parts => new Parts(readConfig({ PLINTH_DATA: data }), () => {})

let parts = openParts()

/** Marks a place in the trace: a call that changes nothing. */
const mark = (what: string): Promise<void> => unlink(`/plinth-mark/${what}`).catch(() => {})

/** Uploads as the service does: into a folder of its own, which is removed whatever happens. */
async function upload(bytes: Buffer, use: (file: { path: string; sha256: string; size: number }) => unknown) {
  const folder = await parts.store.newUpload()
  try {
    await writeFile(folder.body, bytes, { flag: 'wx', mode: 0o600 })
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    await use({ path: folder.body, sha256, size: bytes.length })
  } finally {
    await parts.store.discard(folder)
  }
}

async function perform(act: Act): Promise<void> {
  if ('module' in act) {
    const at = { owner: 'admin', module: act.module, version: act.version }
    if (act.op === 'delete') return parts.modules.remove(at)
    const zip = await simpleModule(act.module, act.version)
    return upload(zip, async (file) => {
      const read = tempFolder()
      const [mod, facts] = ['go.mod', 'facts.json'].map((name) => join(dirname(file.path), name)) as [
        string,
        string,
      ]
      const reading = await readModuleZip(file.path, {
        mod: join(read, 'go.mod'),
        facts: join(read, 'facts.json'),
      })
      // The thread that is traced writes them.
      for (const path of [mod, facts])
        await writeFile(path, readFileSync(join(read, basename(path))), { flag: 'wx', mode: 0o600 })
      await parts.modules.publish(at, { ...file, mod, facts, sums: sumsOf(reading) })
    })
  }
  const at = { owner: 'admin', name: act.name, version: act.version }
  if (act.op === 'publish')
    return upload(Buffer.from(act.file), (file) => parts.files.publish(at, act.file, file))
  return act.file === undefined ? parts.files.removeVersion(at) : parts.files.removeFile(at, act.file)
}

async function main(): Promise<void> {
  await parts.recover()
  await parts.ownerViews.settle()
  const [, , thread] = (await readlink('/proc/thread-self')).split('/')
  process.send?.({ ready: Number(thread) })
  process.on('message', ({ act, id, fresh }: { act: Act; id: number; fresh: boolean }) => {
    void (async () => {
      if (fresh) {
        parts = openParts() // as after a start: nothing is remembered
        await parts.databases.recover()
      }
      await mark(`begin-${id}`)
      let result = 'done'
      try {
        await perform(act)
        await parts.ownerViews.settle().catch(() => {}) // the service tries again by itself
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        result = `refused: ${error.message}`
      }
      await mark(`end-${id}`)
      process.send?.({ id, result })
    })()
  })
}

await main()
