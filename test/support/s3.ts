// A bucket for tests: a small S3 server in Go (test/support/s3-server), and in front of it a proxy that sees every
// request. To whoever signs none it answers as the large services do: a `+` in a path is a space, and what is not there
// is 403 unless listing is granted.

import { execFileSync, spawn } from 'node:child_process'
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { watch } from './child.js'
import { GO_CACHE } from './go.js'
import { needs } from './programs.js'
import { tempFolder } from './temp-folder.js'

const SOURCE = fileURLToPath(new URL('../../../test/support/s3-server', import.meta.url))

/** The name of the bucket. */
export const BUCKET = 'packages'

/** The path of the server's program, which is built; or what makes tap skip a test and say why. */
export function s3Program(): { program: string } | { skip: string } {
  const { skip } = needs('rclone', 'go', 'flock')
  if (skip !== undefined) return { skip }
  const program = join(tempFolder('plinth-s3'), 's3-server')
  const env = {
    ...process.env,
    GOCACHE: GO_CACHE,
    GOFLAGS: '-mod=readonly',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
  }
  try {
    execFileSync('go', ['build', '-trimpath', '-o', program, '.'], { cwd: SOURCE, env, stdio: 'pipe' })
    return { program }
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error)
    return {
      skip: `NOT TESTED: the S3 server was not built: ${said.trim().split('\n').slice(-3).join('; ')}`,
    }
  }
}

/** A request that a client signed. `key` is below `api/packages/` where it is one, and the whole path otherwise. */
export type Seen = { method: string; key: string; body: Buffer; headers: IncomingHttpHeaders }

const signed = (req: IncomingMessage): boolean => req.headers.authorization !== undefined

/** Starts both. `before` is awaited before a request is passed on, `after` when it was answered. */
export async function startBucket(program: string) {
  const child = spawn(program, [BUCKET], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [, port = ''] = await watch(child).until(/http:\/\/127\.0\.0\.1:(\d+)/)
  const bucket = {
    seen: [] as Seen[],
    before: async (_: Seen): Promise<void> => {},
    after: (_: Seen): void => {},
    isListingGranted: true,
    isDown: false,
    url: '',
    stop: () => {
      server.close()
      server.closeAllConnections()
      child.stdin.end()
    },
  }
  const server = createServer((req, res) => {
    const answer = async () => {
      const body = await buffer(req)
      const raw = req.url ?? ''
      const path = signed(req) ? raw : raw.replace(/^[^?]*/, (text) => text.replaceAll('+', '%20'))
      const [, key = raw] = /^\/packages\/api\/packages\/([^?]*)/.exec(raw) ?? []
      const seen = { method: req.method ?? '', key: decodeURIComponent(key), body, headers: req.headers }
      if (bucket.isDown) return void req.destroy()
      if (signed(req)) bucket.seen.push(seen)
      await bucket.before(seen)
      const passed = request(
        { host: '127.0.0.1', port, method: req.method, path, headers: req.headers, agent: false },
        (passedBack) => {
          const isHidden = passedBack.statusCode === 404 && !signed(req) && !bucket.isListingGranted
          passedBack.on('end', () => bucket.after(seen))
          res.writeHead(isHidden ? 403 : (passedBack.statusCode ?? 0), passedBack.headers)
          passedBack.pipe(res)
        },
      )
      passed.on('error', () => res.destroy())
      passed.end(body)
    }
    answer().catch(() => void req.destroy()) // a client that was ended in its request
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  server.unref()
  bucket.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return bucket
}

export type Bucket = Awaited<ReturnType<typeof startBucket>>

/** What tells rclone of the bucket, as a remote that is called `r`. */
export const rcloneEnv = (bucket: Bucket): Record<string, string> => ({
  RCLONE_CONFIG: '/nowhere/rclone.conf',
  RCLONE_CONFIG_R_TYPE: 's3',
  RCLONE_CONFIG_R_PROVIDER: 'Other',
  RCLONE_CONFIG_R_ACCESS_KEY_ID: 'a',
  RCLONE_CONFIG_R_SECRET_ACCESS_KEY: 'secret-of-a-test',
  RCLONE_CONFIG_R_NO_CHECK_BUCKET: 'true',
  RCLONE_CONFIG_R_ENDPOINT: bucket.url,
  AWS_CA_BUNDLE: '',
})
