// A disk that is full, or takes nothing: uploads are refused, nothing is left of them, deletes and reads go on.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { simpleModule } from '../support/zips.js'
import { settledViolations, violationsAfterEnd } from '../support/invariants.js'
import { AUTH } from '../support/http.js'
import { needs } from '../support/programs.js'
import { mountSmall, root, unmounting } from '../support/small-file-system.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { askService, newData, runService } from '../support/service.js'

const generic = (file: string): string => `/api/packages/admin/generic/tool/1.0/${file}`

/** Sends a head and a part of a body; resolves with the answer when it matches `enough` or the service closes. */
const sendRaw = (data: string, path: string, headers: string[], body: string, enough = /\r\n\r\n/) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(join(data, 'state/shim.sock'))
    let answer = ''
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.on('data', (text: Buffer) => {
      answer += text.toString()
      if (enough.test(answer)) socket.destroy()
    })
    socket.write(
      [`PUT ${path} HTTP/1.1`, 'Host: x', `Authorization: ${AUTH}`, ...headers, '', body].join('\r\n'),
    )
  })

/** Resolves when so many uploads are on their way: each has a folder. */
const untilUploads = (data: string, count: number): Promise<void> =>
  until(() => readdirSync(join(data, 'state/tmp')).length >= count)

t.test('below the floor of free space uploads get 507, and deletes go on', async (t) => {
  const data = await newData()
  const first = runService(data)
  await first.ready()
  t.equal((await askService(data, 'PUT', generic('a'), 'x')).status, 201)
  await first.end('SIGTERM')
  const { bavail, bsize } = statfsSync(data)
  const service = runService(data, { PLINTH_MIN_FREE_BYTES: String(2 * bavail * bsize) })
  t.teardown(() => service.end())
  await service.ready()
  const put = await askService(data, 'PUT', generic('b'), 'x')
  t.equal(put.status, 507)
  t.match(put.body, /no room/)
  t.equal(
    (await askService(data, 'PUT', '/api/packages/admin/go/upload', await simpleModule('e.com/m', 'v1.0.0')))
      .status,
    507,
  )
  t.equal((await askService(data, 'DELETE', generic('a'))).status, 204)
  t.same(await settledViolations(data), [])
})

t.test('a body that cannot fit is refused before it comes', async (t) => {
  const data = await newData()
  const service = runService(data, { PLINTH_MAX_FILE_BYTES: String(Number.MAX_SAFE_INTEGER) })
  t.teardown(() => service.end())
  await service.ready()
  t.match(await sendRaw(data, generic('huge'), ['Content-Length: 1125899906842624'], ''), /^HTTP\/1\.1 507 /)
  t.same(await settledViolations(data), [])
})

t.test('a body that stands still, and one that takes too long, get 408 and leave nothing', async (t) => {
  const data = await newData()
  const service = runService(data, { PLINTH_BODY_IDLE_SECONDS: '1' })
  t.teardown(() => service.end())
  await service.ready()
  t.match(await sendRaw(data, generic('slow'), ['Content-Length: 100'], 'ten bytes.'), /^HTTP\/1\.1 408 /)
  const form = ['Content-Type: multipart/form-data; boundary=b', 'Content-Length: 1000']
  t.notMatch(await sendRaw(data, generic('form'), form, '--b\r\n', /^$/), / 201 /, 'a form is cut off')
  await service.says(/generic\/tool\/1\.0\/form","status"/) // its connection is closed before it is cleared away
  t.equal((await askService(data, 'PUT', generic('next'), 'x')).status, 201)
  t.same(await settledViolations(data), [])
})

t.test('more uploads of an account than are taken at once get 503 with Retry-After', async (t) => {
  const data = await newData()
  const service = runService(data, { PLINTH_MAX_UPLOADS: '8' }) // one account has two of them
  t.teardown(() => service.end())
  await service.ready()
  const held = ['a', 'b'].map((file) => {
    const socket = connect(join(data, 'state/shim.sock'))
    socket.on('error', () => {})
    socket.write(
      `PUT ${generic(file)} HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTH}\r\nContent-Length: 9\r\n\r\nx`,
    )
    return socket
  })
  await untilUploads(data, 2)
  const refused = await askService(data, 'PUT', generic('c'), 'x')
  t.equal(refused.status, 503)
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.match(refused.body, /^account admin has 2 uploads under way, which is its share/)
  for (const socket of held) socket.destroy()
  let status = 503
  while (status === 503) ({ status } = await askService(data, 'PUT', generic('d'), 'x'))
  t.equal(status, 201, 'the two that went away made room')
})

t.test('SIGTERM: what is under way finishes, nothing new is taken, and the service ends', async (t) => {
  const data = await newData()
  const service = runService(data, { PLINTH_STOP_SECONDS: '600' })
  t.teardown(() => service.end())
  await service.ready()
  const socket = connect(join(data, 'state/shim.sock'))
  let answer = ''
  socket.on('error', () => {})
  socket.on('data', (text: Buffer) => (answer += text.toString()))
  const head = ['Host: x', `Authorization: ${AUTH}`, 'Content-Length: 2', 'Connection: close']
  socket.write([`PUT ${generic('a')} HTTP/1.1`, ...head, '', 'x'].join('\r\n'))
  const answered = new Promise((resolve) => socket.once('close', resolve))
  await untilUploads(data, 1)
  service.kill('SIGTERM')
  await service.says(/"event":"stopping"/)
  await t.rejects(askService(data, 'PUT', generic('b'), 'x'), 'nobody is at the socket any more')
  socket.write('y')
  await answered
  t.match(answer, /^HTTP\/1\.1 201 /)
  t.match(await service.ended, { code: 0 })
  t.ok(existsSync(join(data, 'tree', generic('a'))))
  t.same(await violationsAfterEnd(data), [])
})

t.test('SIGTERM: what stands still is cut off, and the service ends', async (t) => {
  const data = await newData()
  const service = runService(data, { PLINTH_STOP_SECONDS: '1' })
  t.teardown(() => service.end())
  await service.ready()
  const stuck = sendRaw(data, generic('stuck'), ['Content-Length: 100'], 'x', /^$/).catch(() => '')
  await untilUploads(data, 1)
  service.kill('SIGTERM')
  t.match(await service.ended, { code: 0 })
  t.notMatch(await stuck, / 201 /)
  const next = runService(data)
  await next.ready()
  t.same(await settledViolations(data), [])
  await next.end()
})

const piece = `200000\r\n${'x'.repeat(2 ** 21)}\r\n`
const endless = `${piece}${piece}0\r\n\r\n`

for (const [what, options] of [
  ['space', 'size=3m,mode=755'],
  ['inodes', 'size=50m,nr_inodes=400,mode=755'],
] as const) {
  const mounted = mountSmall(options)
  const skip = typeof mounted === 'string' ? mounted : false
  t.test(`out of ${what}, on a real small file system`, { skip }, async (t) => {
    if (typeof mounted === 'string') return
    t.teardown(mounted.unmount)
    const home = await newData()
    const data = join(mounted.folder, 'data')
    execFileSync('cp', ['-a', home, data])
    const elsewhere = join(mounted.folder, 'elsewhere') // what somebody else keeps on this disk
    mkdirSync(elsewhere)
    for (let n = 0; n < 40; n++) writeFileSync(join(elsewhere, String(n)), Buffer.alloc(4096))
    const service = runService(data, { PLINTH_MIN_FREE_BYTES: '0' })
    t.teardown(() => service.end())
    await service.ready()
    const free = (): { blocks: number; inodes: number } => {
      const { bavail, ffree } = statfsSync(mounted.folder)
      return { blocks: bavail, inodes: ffree }
    }
    // The views of the owner follow, or try to: what they need for a moment does not count. Where an upload was in their
    // way they follow a little later. Where they find no room twice although nobody else writes, they never do.
    const followed = (): boolean => readdirSync(join(data, 'state/due')).length === 0
    const failures = (): number => service.log().split('views not refreshed').length - 1
    const followOrFail = async (): Promise<void> => {
      const before = failures()
      await until(() => followed() || failures() >= before + 3)
    }
    const zip = (n: number) =>
      simpleModule('example.com/m', `v1.${n}.0`, { 'x.bin': Buffer.alloc(40_000, String(Math.random())) })
    const up = async (n: number) => askService(data, 'PUT', '/api/packages/admin/go/upload', await zip(n))
    let published = 0
    const files: string[] = []
    let refused = await up(0)
    for (; refused.status === 201; refused = await up(published)) {
      published++
      const big = await askService(data, 'PUT', generic(`f${published}`), Buffer.alloc(150_000))
      if (big.status === 201) files.push(`f${published}`)
      else t.equal(big.status, 507)
    }
    t.ok(published > 0)
    t.equal(refused.status, 507)
    // Three in a row: what the views needed for a moment may be room for one more.
    let before = free()
    for (let refusals = 0; refusals < 3;) {
      if (refusals === 0) await followOrFail()
      if (refusals === 0) before = free()
      const { status } = await up(published)
      if (status === 201) published++
      else t.equal(status, 507)
      refusals = status === 201 ? 0 : refusals + 1
    }
    // its size is not known: it runs into the end in the middle
    if (what === 'space')
      t.match(
        await sendRaw(data, generic('endless'), ['Transfer-Encoding: chunked'], endless),
        /^HTTP\/1\.1 507 /,
      )
    // Refused uploads leave the free space where it was.
    await until(() => free().blocks >= before.blocks && free().inodes >= before.inodes)
    if (followed()) t.same(await settledViolations(data), [])
    t.comment(`${published} published before the end`)
    // A delete needs a little room for a moment. Where there is none it changes nothing, and does its work later.
    const remove = () => askService(data, 'DELETE', '/api/packages/admin/go/example.com/m/@v/v1.0.0')
    let removed = await remove()
    if (removed.status !== 204) {
      t.match(removed, { status: 507, body: /nothing was changed/ })
      if (followed()) t.same(await settledViolations(data), [])
      rmSync(elsewhere, { recursive: true })
      removed = await remove()
    }
    t.equal(removed.status, 204)
    for (const file of files.slice(0, 3))
      t.equal((await askService(data, 'DELETE', generic(file))).status, 204)
    t.equal((await up(0)).status, 201, 'and what was deleted makes room')
    t.same(await settledViolations(data), [])
  })
}

/** Whether a file can be made there. access(2) says so of an ext4 that takes nothing any more, too. */
function isWritable(folder: string): boolean {
  const file = join(folder, 'written')
  try {
    writeFileSync(file, '')
    rmSync(file)
    return true
  } catch {
    return false
  }
}

/** A file system on a file, which can be made to fail as by a dying disk: then it takes nothing any more. */
function mountFailing():
  { folder: string; fail: () => void; mend: () => Promise<void>; unmount: () => void } | string {
  if (!root) return 'NOT TESTED: only root can mount a file system'
  const [folder, image] = [tempFolder(), join(tempFolder(), 'image')]
  const run = (program: string, ...args: string[]): unknown =>
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const attach = (): unknown => run('mount', '-o', 'loop', image, folder)
  const unmount = (): unknown => run('umount', folder)
  try {
    run('truncate', '-s', '32M', image)
    run('mkfs.ext4', '-q', '-F', image)
    attach()
  } catch {
    return 'NOT TESTED: this machine does not let root mount an ext4 on a file'
  }
  return {
    folder,
    fail: () => run('mount', '-o', 'remount,abort', folder),
    // A container that another test has just begun may have a copy of the mount. As long as it has, the file system
    // stays as it is.
    mend: () =>
      until(() => {
        unmount()
        attach()
        return isWritable(folder)
      }, 100),
    unmount: unmounting(folder),
  }
}

const failing = mountFailing()
t.test(
  'a file system that turns read-only under the service',
  { skip: typeof failing === 'string' && failing },
  async (t) => {
    if (typeof failing === 'string') return
    t.teardown(failing.unmount)
    const data = join(failing.folder, 'data')
    execFileSync('cp', ['-a', await newData(), data])
    execFileSync('sync', ['-f', data])
    const service = runService(data, { PLINTH_MIN_FREE_BYTES: '0' })
    t.teardown(() => service.end())
    await service.ready()
    const upload = '/api/packages/admin/go/upload'
    const module = '/api/packages/admin/go/e.com/m/@v/v1.0.0'
    t.equal((await askService(data, 'PUT', upload, await simpleModule('e.com/m', 'v1.0.0'))).status, 201)
    t.equal((await askService(data, 'PUT', generic('a'), 'x')).status, 201)
    failing.fail()
    for (const [method, path, body] of [
      ['PUT', generic('b'), 'x'],
      ['PUT', upload, await simpleModule('e.com/m', 'v1.1.0')],
      ['DELETE', generic('a'), undefined],
      ['DELETE', module, undefined],
    ] as const) {
      const answer = await askService(data, method, path, body)
      t.equal(answer.status, 500, `${method} ${path}`)
      t.match(answer.body, /the server cannot write to its disk at the moment, nothing was changed/)
    }
    t.equal((await askService(data, 'PUT', upload, await simpleModule('e.com/m', 'v1.0.0'))).status, 500)
    t.equal(readFileSync(join(data, 'tree', generic('a')), 'utf8'), 'x', 'what is there can be read')

    await service.end()
    await failing.mend()
    const next = runService(data, { PLINTH_MIN_FREE_BYTES: '0' })
    t.teardown(() => next.end())
    await next.ready()
    t.same(await settledViolations(data), [])
    t.equal(
      readFileSync(join(data, 'tree', generic('a')), 'utf8'),
      'x',
      'what was acknowledged is on the disk',
    )
    t.equal((await askService(data, 'DELETE', module)).status, 204)
    t.equal((await askService(data, 'PUT', generic('b'), 'x')).status, 201)
    t.same(await settledViolations(data), [])
    await next.end()
  },
)

t.test('a folder that cannot be written: 500 that says so, and nothing is left', async (t) => {
  const data = await newData()
  const nobody = 65534 // root may write everywhere
  const as = root ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : []
  if (root) execFileSync('chown', ['-R', String(nobody), data])
  const service = runService(data, {}, as)
  t.teardown(() => service.end())
  await service.ready()
  t.equal((await askService(data, 'PUT', generic('a'), 'x')).status, 201)
  const folder = join(data, 'tree/api/packages/admin/generic/tool/1.0')
  chmodSync(folder, 0o555)
  for (const [method, file] of [
    ['PUT', 'b'],
    ['DELETE', 'a'],
  ] as const) {
    const answer = await askService(data, method, generic(file), method === 'PUT' ? 'x' : undefined)
    t.equal(answer.status, 500)
    t.match(answer.body, method === 'PUT' ? /cannot write to its disk/ : /not known yet/)
    t.notMatch(answer.body, data)
  }
  chmodSync(folder, 0o755)
  t.equal((await askService(data, 'PUT', generic('b'), 'x')).status, 201)
  t.equal((await askService(data, 'DELETE', generic('a'))).status, 404, 'the delete was finished')
  t.same(await settledViolations(data), [])
})

// What was written so far goes to the disk while the body still comes. Linux tells of a failure once: the fsync at the
// end would find nothing wrong.
t.test('an fsync that fails in the middle of a body fails the upload', needs('strace'), async (t) => {
  const data = await newData()
  const inject = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=1']
  const service = runService(data, { UV_THREADPOOL_SIZE: '1' }, [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    ...inject,
  ])
  t.teardown(async () => {
    process.kill(Number(/"event":"ready","pid":(\d+)/.exec(service.log())?.[1]), 'SIGTERM')
    await service.ended
  })
  await service.ready()
  const body = Buffer.alloc(70 * 2 ** 20, 'plinth')
  const answer = await askService(data, 'PUT', generic('large'), body)
  t.equal(answer.status, 500)
  t.same(readdirSync(join(data, 'state/tmp')), [])
  t.same(await settledViolations(data), [])
  t.equal((await askService(data, 'PUT', generic('large'), body)).status, 201, 'and the next is taken')
})
