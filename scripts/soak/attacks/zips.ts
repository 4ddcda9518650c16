// Module zips that take time, memory, or a reader apart.

import { crc32, deflateRawSync } from 'node:zlib'
import { rawZip } from '../../../test/support/raw-zip.js'
import { sourceModule } from '../../bench/modules.js'
import { head, inLanes, send } from '../raw-request.js'
import type { Attack, Target } from '../target.js'

const MIB = 2 ** 20
const UPLOAD = '/api/packages/team/go/upload'
/** A large zip is checked for seconds. */
const CHECK_MS = 60_000
const BIG_MODULES = 8

const put = (target: Target, zip: Buffer, signal: AbortSignal): Promise<number> => {
  const headers = { Authorization: target.hostile, 'Content-Length': zip.length }
  return send(target, Buffer.concat([Buffer.from(head('PUT', UPLOAD, headers)), zip]), {
    signal,
    withinMs: CHECK_MS,
  })
}

/** Uploads a module, and deletes it again when it was taken. Resolves with the status of the upload. */
async function putAndDelete(
  target: Target,
  module: string,
  zip: Buffer,
  signal: AbortSignal,
): Promise<number> {
  const status = await put(target, zip, signal)
  if (status === 201) {
    const path = `/api/packages/team/go/${module}/@v/v1.0.0`
    await send(target, head('DELETE', path, { Authorization: target.hostile }), { signal })
  }
  return status
}

/** `make`, called once, when its result is first asked for. */
function lazily<T>(make: () => T): () => T {
  let made: { it: T } | undefined
  return () => (made ??= { it: make() }).it
}

const largeZip = lazily(() => sourceModule('example.com/large', 'v1.0.0', 60_000_000, 3000))

const largeZips: Attack = {
  name: 'large-zips',
  what: 'one account that uploads modules of 60 MB in 3,000 files, 6 at a time',
  arm: () => void largeZip(),
  run: (target, signal) => {
    return inLanes(6, signal, () => putAndDelete(target, 'example.com/large', largeZip(), signal))
  },
}

/** 400 MiB of zeros in some 400 kB: a small zip that is checked for as long as a large one. */
const smallZipOfManyBytes = lazily((): Buffer => {
  const piece = Buffer.alloc(MIB)
  let crc = 0
  for (let i = 0; i < 400; i++) crc = crc32(piece, crc)
  const packed = deflateRawSync(Buffer.alloc(400 * MIB), { level: 9 })
  const entry = { name: 'example.com/slow@v1.0.0/zeros', packed, size: 400 * MIB, crc32: crc }
  return rawZip([entry])
})

const slowChecks: Attack = {
  name: 'slow-checks',
  what: 'one account that uploads zips of 400 kB that inflate to 400 MB, 8 at a time',
  arm: () => void smallZipOfManyBytes(),
  run: (target, signal) => {
    return inLanes(8, signal, () => putAndDelete(target, 'example.com/slow', smallZipOfManyBytes(), signal))
  },
}

const bigModule = (n: number): string => `example.com/mod${n % BIG_MODULES}`
const bigModuleZips = lazily(() =>
  Array.from({ length: BIG_MODULES }, (_, n) => {
    const content = `module ${bigModule(n)}\n//`.padEnd(16 * MIB - 1, ' ')
    return rawZip([{ name: `${bigModule(n)}@v1.0.0/go.mod`, content: `${content}\n` }])
  }),
)

const bigGoMods: Attack = {
  name: 'big-go-mods',
  what: 'zips of 16 kB whose go.mod has 16 MB, 8 at a time',
  arm: () => void bigModuleZips(),
  run: (target, signal) =>
    inLanes(8, signal, (n) =>
      putAndDelete(target, bigModule(n), bigModuleZips()[n % BIG_MODULES] ?? Buffer.alloc(0), signal),
    ),
}

/** Numbers from a seed: the same attack each time. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A zip with some bytes of its directory and of its end replaced by others, or cut off. */
function mutated(zip: Buffer, directoryAt: number, below: (n: number) => number): Buffer {
  const copy = Buffer.from(zip)
  const values = [0, 1, 0xff, 0x7f, 0x80, 46, 0x50, below(256)]
  for (let times = 1 + below(4); times > 0; times--) {
    const at = directoryAt + below(copy.length - directoryAt)
    copy[at] = values[below(values.length)] ?? 0
    if (below(3) === 0) copy.fill(0xff, at, Math.min(at + 4, copy.length))
  }
  return below(10) === 0 ? copy.subarray(0, directoryAt + below(copy.length - directoryAt)) : copy
}

const badZips: Attack = {
  name: 'bad-zips',
  what: 'small zips whose directories are mutated, 8 at a time',
  run: (target, signal) => {
    const name = 'example.com/bad@v1.0.0/'
    const whole = [false, true, 'entries' as const].map((zip64) =>
      rawZip(
        [
          { name: `${name}go.mod`, content: 'module example.com/bad\n' },
          { name: `${name}m.go`, content: 'package m' },
        ],
        { zip64, comment: Buffer.from('a comment') },
      ),
    )
    const below = random(20_260_101)
    return inLanes(8, signal, (n) => {
      const zip = whole[n % whole.length] ?? Buffer.alloc(0)
      const directoryAt = zip.indexOf(Buffer.from('504b0102', 'hex'))
      return putAndDelete(target, 'example.com/bad', mutated(zip, directoryAt, below), signal)
    })
  },
}

export const zips: readonly Attack[] = [largeZips, slowChecks, bigGoMods, badZips]
