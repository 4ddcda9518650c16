// What must hold while nothing fails: what one machine was told, the other one knows with the next request.

import { simpleModule } from '../support/zips.js'
import type { Cluster } from './cluster.js'
import type { Member } from './member.js'
import { askMachine, GO, publishTo } from './request.js'

/** A published version is read at the other machine this often before the next one is published: once. */
const MODULES = 10

/** Publishes `count` versions, each through the next machine, and reads them at the other one. Resolves with misses. */
export async function publishHereReadThere({ members }: Cluster, count: number): Promise<string[]> {
  const misses: string[] = []
  for (let at = 0; at < count; at++) {
    const [here, there] = (at % 2 === 0 ? members : members.toReversed()) as [Member, Member]
    const [module, version] = [`example.com/here/m${at % MODULES}`, `v1.${at}.0`]
    const zip = await simpleModule(module, version)
    const { status, text } = await publishTo(here.address, zip, 60)
    if (status !== 201) throw new Error(`${version} through ${here.name}: ${status} ${text}`)
    const base = `${GO}/${module}/@v`
    const list = await askMachine(there.address, `${base}/list`, { seconds: 60 })
    if (list.status !== 200 || !list.text.split('\n').includes(version))
      misses.push(`${there.name} ${base}/list`)
    const read = await askMachine(there.address, `${base}/${version}.zip`, { seconds: 60 })
    if (read.status !== 200 || !read.bytes.equals(zip)) misses.push(`${there.name} ${base}/${version}.zip`)
  }
  return misses
}

/** Closes and opens an owner, and adds and removes an account, on each machine in turn. Resolves with wrong answers. */
export async function accessHereReadThere({ members }: Cluster, count: number): Promise<string[]> {
  const wrong: string[] = []
  const [a, b] = members
  await a.cli('owner', 'add', 'turned')
  const path = '/api/packages/turned/generic/tool/1/tool'
  const put = await askMachine(a.address, path, { method: 'PUT', body: Buffer.from('tool'), seconds: 60 })
  if (put.status !== 201) throw new Error(`${path}: ${put.status} ${put.text}`)
  const expect = async (what: string, status: number, authorization?: string): Promise<void> => {
    for (const member of [a, b]) {
      const answer = await askMachine(member.address, path, {
        seconds: 60,
        ...(authorization && { authorization }),
      })
      if (answer.status !== status) wrong.push(`${what}, read on ${member.name}: ${answer.status}`)
    }
  }
  for (let at = 0; at < count; at++) {
    const here = at % 2 === 0 ? a : b
    await here.cli('owner', 'set', 'turned', '--private')
    await expect(`closed on ${here.name}`, 401)
    const account = `reader-${at}`
    const said = await here.cli('account', 'add', account, '--read', 'turned')
    const token = /plinth_\S+/.exec(said)?.[0] ?? ''
    const authorization = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`
    await expect(`account added on ${here.name}`, 200, authorization)
    await here.cli('account', 'remove', account)
    await expect(`account removed on ${here.name}`, 401, authorization)
    await here.cli('owner', 'set', 'turned', '--public')
    await expect(`opened on ${here.name}`, 200)
  }
  return wrong
}
