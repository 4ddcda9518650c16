// nginx's WebDAV PUT on the disk that a Plinth has its data on: what taking a file over HTTP costs at best. Its answer
// comes before the file is on the disk. So it is measured twice: as it is, and with an fsync of file and folder.

import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ask, AUTH } from '../../test/support/http.js'
import { type Plinth } from '../../test/support/plinth.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { expecting } from './answers.js'
import { PUT_RULES, startBareNginx, userOf } from './bare-nginx.js'

export type WebDav = Awaited<ReturnType<typeof startWebDav>>

export async function startWebDav(plinth: Plinth) {
  const root = join(tempFolder('plinth-bench'), 'dav')
  mkdirSync(root)
  chmodSync(root, 0o777) // nginx's workers write here
  const nginx = await startBareNginx(root, userOf(plinth.data), PUT_RULES)
  return {
    port: nginx.port,
    pathOf: (name: string): string => join(root, name),
    put: (name: string, body: Buffer) => expecting(201, ask(nginx.port, 'PUT', `/${name}`, { body })),
    clear: (): void => {
      rmSync(join(root, 'round'), { recursive: true, force: true })
    },
    stop: nginx.stop,
  }
}

/** curl --upload-file: what people use for large files, and cheaper than a client in this process. */
export async function curlUpload(file: string, url: string): Promise<void> {
  const args = ['-sS', '--fail-with-body', '-H', `Authorization: ${AUTH}`, '--upload-file', file, url]
  await promisify(execFile)('curl', args)
}
