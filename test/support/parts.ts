// The parts of a service without the service around them, on a store that a test may wrap, to make it fail for example.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readConfig } from '../../src/config.js'
import { ownerFile } from '../../src/layout.js'
import type { CheckPool } from '../../src/modzip/check-pool.js'
import { readModuleZip } from '../../src/modzip/read-zip.js'
import { Parts } from '../../src/service/parts.js'
import { Store } from '../../src/store/store.js'
import { simpleModule, sumsOf, type Files } from './zips.js'

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** Reads zips in this thread. */
const zips = {
  read: (path: string, how?: { mod?: string; facts?: string }) => readModuleZip(path, how),
  close: async () => {},
} as unknown as CheckPool

/** `target` with some of its methods replaced. The others are called on `target` itself, which has private fields. */
export const withMethods = <T extends object>(target: T, replaced: Partial<T>): T =>
  new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(name in replaced ? replaced : target, name)
      return typeof value === 'function' && !(name in replaced) ? value.bind(target) : value
    },
  })

/** The parts on the data folder `data`, with the declared owner `admin`. `wrap` may put something before the disk. */
export async function openParts(
  data: string,
  wrap: (store: Store) => Store = (store) => store,
  reader: CheckPool = zips,
) {
  const store = wrap(new Store(data))
  const log: string[] = []
  const config = readConfig({ PLINTH_DATA: data })
  const parts = new Parts(
    config,
    (_level, event, fields) => void log.push(`${event} ${JSON.stringify(fields)}`),
    { store, zips: reader },
  )
  const { journal, modules, files } = parts
  async function upload<T>(
    bytes: Buffer,
    use: (file: { path: string; sha256: string; size: number }) => Promise<T>,
  ): Promise<T> {
    const { folder, body } = await store.newUpload()
    try {
      writeFileSync(body, bytes)
      return await use({ path: body, sha256: sha256(bytes), size: bytes.length })
    } finally {
      await store.discard({ folder, body })
    }
  }
  await store.prepare()
  if (!(await store.exists(ownerFile('admin')))) await store.write(ownerFile('admin'), '{}')
  return {
    store,
    log,
    zips: parts.zips,
    owners: parts.owners,
    journal,
    ownerViews: parts.ownerViews,
    databases: parts.databases,
    versions: parts.versions,
    hashes: parts.hashes,
    site: parts.site,
    modules,
    files,
    recover: () => parts.recover(),
    /** `more` are files beside those of {@link simpleModule}. */
    publishModule: async (module: string, version: string, more: Files = {}): Promise<void> => {
      await upload(await simpleModule(module, version, more), async (zip) => {
        const [mod, facts] = [join(dirname(zip.path), 'go.mod'), join(dirname(zip.path), 'facts.json')]
        const sums = sumsOf(await readModuleZip(zip.path, { mod, facts }))
        return modules.publish({ owner: 'admin', module, version }, { ...zip, mod, facts, sums })
      })
    },
    publishFile: (version: string, file: string, content: string): Promise<void> =>
      upload(Buffer.from(content), (received) =>
        files.publish({ owner: 'admin', name: 'tool', version }, file, received),
      ),
  }
}
