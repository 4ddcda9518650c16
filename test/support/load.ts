// Clients that publish and delete all the time, and know what must be there.

import { randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CLI, plainNode } from './cli.js'
import type { Plinth } from './plinth.js'
import { simpleModule } from './zips.js'

const run = promisify(execFile)

/** A module version or a generic file that was acknowledged, and that no client deletes. */
export type Kept = { path: string; bytes: Buffer }

const GO = '/api/packages/admin/go'
const GENERIC = '/api/packages/admin/generic'

type Load = { again: boolean; owners?: boolean; name: string }

/**
 * `name` is in the names of all packages. `again`: versions that were deleted are published again, with other bytes.
 * `owners`: owners are removed and made again, by commands, which are processes of their own.
 */
export function startLoad(plinth: Plinth, { again, owners: removed = again, name }: Load) {
  const kept: Kept[] = []
  const over = new AbortController()
  let changes = 0
  const must = async (method: string, path: string, body?: Buffer): Promise<void> => {
    const { status, body: said } = await plinth.ask(method, path, body ? { body } : {})
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${said}`)
    changes++
  }
  const modules = async (of: string): Promise<void> => {
    for (let at = 0; !over.signal.aborted; at++) {
      const [module, version] = [`example.com/${of}`, `v1.${at}.0`]
      const retract = at % 4 === 3 ? `\nretract v1.${at - 2}.0 // no good\n` : ''
      const zip = await simpleModule(module, version, {
        'go.mod': `module ${module}\n\ngo 1.19\n${retract}`,
        x: randomBytes(2000),
      })
      await must('PUT', `${GO}/upload`, zip)
      if (at % 3 === 0) kept.push({ path: `tree${GO}/${module}/@v/${version}.zip`, bytes: zip })
      if (at % 3 === 1) await must('DELETE', `${GO}/${module}/@v/${version}`)
      if (again && at % 2 === 1 && at % 3 === 1)
        await must('PUT', `${GO}/upload`, await simpleModule(module, version, { y: randomBytes(2000) }))
    }
  }
  const files = async (of: string): Promise<void> => {
    for (let at = 0; !over.signal.aborted; at++) {
      const path = `${GENERIC}/${of}/${at}/file.bin`
      const bytes = randomBytes(at % 5 === 0 ? 2_500_000 : 3000)
      await must('PUT', path, bytes)
      if (at % 2 === 0) kept.push({ path: `tree${path}`, bytes })
      else await must('DELETE', path)
      if (again && at % 4 === 1) await must('PUT', path, randomBytes(bytes.length))
    }
  }
  const command = async (...words: string[]): Promise<void> => {
    const [program, args] = plainNode(CLI, ...words)
    await run(program, args, { env: { ...process.env, PLINTH_DATA: plinth.data } })
  }
  const owners = async (): Promise<void> => {
    if (!removed) return
    while (!over.signal.aborted) {
      await command('owner', 'add', 'fleeting')
      await must('PUT', '/api/packages/fleeting/generic/x/1/x', randomBytes(1000))
      await must('PUT', '/api/packages/fleeting/go/upload', await simpleModule('example.com/f', 'v1.0.0'))
      await command('owner', 'remove', 'fleeting', '--with-packages', '--yes')
    }
  }
  const clients = [
    modules(`${name}/a`),
    modules(`${name}/b`),
    files(`${name}-1`),
    files(`${name}-2`),
    owners(),
  ]
  const failed = Promise.all(clients)
  failed.catch(() => {})
  return {
    /** What is there for good by now. */
    kept: (): Kept[] => [...kept],
    changes: () => changes,
    /** Rejects when a client was refused. */
    stop: async (): Promise<void> => {
      over.abort()
      await failed
    },
  }
}
