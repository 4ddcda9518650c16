// A bucket of Ceph's gateway as a mirror: it has what everybody may read, byte for byte, and nothing else.

import { simpleModule } from '../support/zips.js'
import type { Cluster } from './cluster.js'
import { askMachine, publishTo } from './request.js'

const BUCKET = 'packages/api/packages'
const MODULE = 'example.com/bucket/m'
const FILE = 'bucketed/generic/tool/1+a b/tool'

/**
 * Publishes, lets the active machine mirror, and reads from the bucket what everybody reads, after each change of what
 * that is. Resolves with what is wrong.
 */
export async function bucketFollows(cluster: Cluster): Promise<string[]> {
  const { active } = await cluster.roles()
  const { url, env } = await cluster.ceph.startGateway()
  await active.machine.run(
    'env',
    ...Object.entries(env).map((pair) => pair.join('=')),
    'rclone',
    'mkdir',
    'r:packages',
  )
  const wrong: string[] = []
  const mirror = (...words: string[]): Promise<string> =>
    active.cliWith(env, 'mirror-to', `r:${BUCKET}`, ...words)
  // A `+` in the path of an object means a space to S3.
  const inBucket = (path: string): Promise<Response> =>
    fetch(`${url}/${BUCKET}/${encodeURI(path).replaceAll('+', '%2B')}`)
  const mustBeSame = async (...paths: string[]): Promise<void> => {
    for (const path of paths) {
      const own = await askMachine(active.address, `/api/packages/${encodeURI(path)}`, { seconds: 60 })
      const object = await inBucket(path)
      const isSame = own.status === 200 && own.bytes.equals(Buffer.from(await object.arrayBuffer()))
      if (!isSame) wrong.push(`${path}: ${object.status} of the bucket, ${own.status} of ${active.name}`)
    }
  }
  const mustBeMissing = async (when: string, ...paths: string[]): Promise<void> => {
    for (const path of paths) {
      const { status } = await inBucket(path)
      if (status !== 404) wrong.push(`${path}, ${when}: ${status} of the bucket`)
    }
  }
  const publish = async (version: string): Promise<void> => {
    const { status, text } = await publishTo(active.address, await simpleModule(MODULE, version), 60)
    if (status !== 201) throw new Error(`${version}: ${status} ${text}`)
  }
  const ofModule = (version: string): string[] =>
    ['.info', '.mod', '.zip'].map((extension) => `admin/go/${MODULE}/@v/${version}${extension}`)
  const names = [`admin/go/${MODULE}/@v/list`, `admin/go/${MODULE}/@latest`]

  await active.cli('owner', 'add', 'bucketed')
  const body = Buffer.from('tool')
  const put = await askMachine(active.address, `/api/packages/${encodeURI(FILE)}`, {
    method: 'PUT',
    body,
    seconds: 60,
  })
  if (put.status !== 201) throw new Error(`${FILE}: ${put.status} ${put.text}`)
  await publish('v1.0.0')
  await mirror('--full')
  await mustBeSame(...ofModule('v1.0.0'), ...names, FILE)
  await mustBeMissing('never published', ...ofModule('v1.1.0'), 'nobody/go/x/@v/list')
  await publish('v1.1.0')
  await mirror()
  await mustBeSame(...ofModule('v1.1.0'), ...names)
  await active.cli('owner', 'set', 'bucketed', '--private')
  await mirror()
  await mustBeMissing('of a private owner', FILE)
  await active.cli('owner', 'set', 'bucketed', '--public')
  await mirror()
  await mustBeSame(FILE)
  return wrong
}
