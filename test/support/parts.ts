// The publishers without a service, on a store that a test may wrap, to make it fail for example.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFilePublisher } from '../../src/generic/publish.js'
import type { CheckPool } from '../../src/modzip/check-pool.js'
import { makeModulePublisher } from '../../src/go/publish.js'
import { readModuleZip } from '../../src/modzip/read-zip.js'
import { openJournal } from '../../src/packages/journal.js'
import { makePublicationClock } from '../../src/packages/publication-clock.js'
import { makeQueue } from '../../src/packages/queue.js'
import { makeOwnerRemoval } from '../../src/packages/owner-removal.js'
import { openStore, type Store } from '../../src/store/store.js'
import { ownerFile } from '../../src/layout.js'
import { simpleModule } from './zips.js'

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** Reads zips in this thread. */
const zips: CheckPool = { read: readModuleZip, readPatiently: readModuleZip, close: async () => {} }

export type Parts = Awaited<ReturnType<typeof openParts>>

/** What a service on `data` is made of; `wrap` may put something between it and the disk. */
export async function openParts(data: string, wrap: (store: Store) => Store = (store) => store) {
  const store = wrap(openStore(data))
  const exclusively = makeQueue()
  const clock = makePublicationClock()
  const log: string[] = []
  const journal = openJournal(store, (_level, event, fields) =>
    log.push(`${event} ${JSON.stringify(fields)}`),
  )
  const modules = makeModulePublisher({ store, journal, exclusively, zips, clock })
  const files = makeFilePublisher({ store, journal, exclusively, clock })
  async function upload(bytes: Buffer) {
    const { body } = await store.newUpload()
    writeFileSync(body, bytes)
    return { path: body, sha256: sha256(bytes), size: bytes.length }
  }
  await store.prepare()
  if (!(await store.exists(ownerFile('admin')))) await store.write(ownerFile('admin'), '{}')
  return {
    store,
    log,
    packages: makeOwnerRemoval(store, exclusively),
    modules,
    files,
    recover: async () => {
      await store.sweep()
      await journal.settleAll((entry) => ('module' in entry ? modules.settle(entry) : files.settle(entry)))
    },
    publishModule: async (module: string, version: string) => {
      const received = await upload(await simpleModule(module, version))
      const mod = Buffer.from(`module ${module}\n\ngo 1.19\n`)
      try {
        await modules.publish({ owner: 'admin', module, version }, { ...received, mod })
      } finally {
        await store.discard({ folder: join(received.path, '..'), body: received.path })
      }
    },
    publishFile: async (version: string, file: string, content: string) => {
      const received = await upload(Buffer.from(content))
      try {
        await files.publish({ owner: 'admin', name: 'tool', version }, file, received)
      } finally {
        await store.discard({ folder: join(received.path, '..'), body: received.path })
      }
    },
  }
}
