// Generic uploads, against nginx's WebDAV PUT of the same bytes on the same disk, and against cp.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { startPlinth, type Plinth } from '../../test/support/plinth.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { expecting } from './answers.js'
import { copyToDisk, fsyncWithFolder } from './disk.js'
import { forgetPeak, peakOf } from './processes.js'
import { inTurns, timed, type Bench, type Row, type Scale } from './row.js'
import { curlUpload, startWebDav, type WebDav } from './webdav.js'

const MIB = 2 ** 20
const VERSION = '/api/packages/admin/generic/file/1'

/** What of PUT took how long: until its answer, and until the bytes are on the disk. Milliseconds. */
type Put = { answered: number; synced: number }

function rows(
  what: string,
  mib: number,
  found: { ours: number[]; dav: Put[]; cp: number[] },
  peak: object,
  goal?: string,
) {
  const speed = (times: number[]): number[] => times.map((ms) => mib / (ms / 1000))
  const row = { unit: 'MiB/s', ours: speed(found.ours), ...peak }
  return [
    {
      ...row,
      name: what,
      base: speed(found.dav.map(({ synced }) => synced)),
      baseName: 'WebDAV PUT + fsync',
      ...(goal !== undefined && { goal }),
    },
    {
      ...row,
      name: what,
      base: speed(found.dav.map(({ answered }) => answered)),
      baseName: 'WebDAV PUT, not on the disk',
    },
    { ...row, name: what, base: speed(found.cp), baseName: 'cp + fsync' },
  ]
}

const clearVersion = (plinth: Plinth) => expecting(204, plinth.ask('DELETE', VERSION))

/** `files` files of 1 MiB, one after the other. */
async function small(plinth: Plinth, dav: WebDav, scratch: string, rounds: number, files: number) {
  const body = Buffer.alloc(MIB, 'plinth')
  const source = join(scratch, 'source')
  writeFileSync(source, body)
  const each = async (action: (n: number) => Promise<unknown>): Promise<void> => {
    for (let n = 0; n < files; n++) await action(n)
  }
  return inTurns(rounds, {
    ours: async () => {
      const ms = await timed(() =>
        each((n) => expecting(201, plinth.ask('PUT', `${VERSION}/${n}`, { body }))),
      )
      await clearVersion(plinth)
      return ms
    },
    dav: async () => {
      let answered = 0
      const synced = await timed(() =>
        each(async (n) => {
          answered += await timed(() => dav.put(`round/${n}`, body))
          await fsyncWithFolder(dav.pathOf(`round/${n}`))
        }),
      )
      dav.clear()
      return { answered, synced }
    },
    cp: async () => {
      const folder = join(scratch, 'cp')
      mkdirSync(folder)
      const ms = await timed(() => each((n) => copyToDisk(source, join(folder, String(n)))))
      rmSync(folder, { recursive: true })
      return ms
    },
  })
}

/** One file of `mib` MiB. */
async function large(plinth: Plinth, dav: WebDav, scratch: string, rounds: number, mib: number) {
  const source = join(scratch, 'large')
  const file = await open(source, 'w')
  for (let n = 0; n < mib; n++) await file.write(Buffer.alloc(MIB, `plinth${n}`))
  await file.sync()
  await file.close()
  return inTurns(rounds, {
    ours: async () => {
      const ms = await timed(() => curlUpload(source, `${plinth.url}${VERSION}/large`))
      await clearVersion(plinth)
      return ms
    },
    dav: async () => {
      let answered = 0
      const synced = await timed(async () => {
        answered = await timed(() => curlUpload(source, `http://127.0.0.1:${dav.port}/round/large`))
        await fsyncWithFolder(dav.pathOf('round/large'))
      })
      dav.clear()
      return { answered, synced }
    },
    cp: async () => {
      const ms = await timed(() => copyToDisk(source, join(scratch, 'copy')))
      rmSync(join(scratch, 'copy'))
      return ms
    },
  })
}

export const upload: Bench = {
  name: 'upload',
  what: 'generic uploads of 1 MiB and of 1 GiB, against WebDAV PUT and cp on the same disk',
  needs: ['nginx', 'curl'],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const plinth = await startPlinth()
    const dav = await startWebDav(plinth)
    const scratch = tempFolder('plinth-bench')
    const files = size(200, 5)
    const found = await small(plinth, dav, scratch, rounds(3), files)
    yield* rows(`upload 1 MiB × ${files}`, files, found, peakOf(plinth.shimPid()))
    forgetPeak(plinth.shimPid())
    const mib = size(1024, 16)
    const foundLarge = await large(plinth, dav, scratch, rounds(3), mib)
    yield* rows(`upload ${mib} MiB`, mib, foundLarge, peakOf(plinth.shimPid()), '≥ 0.9')
    yield {
      name: `memory of the service while it takes ${mib} MiB`,
      unit: 'MB',
      ours: [peakOf(plinth.shimPid()).peakMb ?? NaN],
      goal: '< 150 MB',
    }
    await dav.stop()
    await plinth.stop()
  },
}
