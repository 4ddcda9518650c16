import { statfsSync } from 'node:fs'
import t from 'tap'
import { FreeSpace } from '../../src/store/free-space.js'
import { tempFolder } from '../support/temp-folder.js'

const MIB = 2 ** 20
const GIB = 2 ** 30
const noRoom = { status: 507, message: /no room left on the server/ }

/** A disk with so many bytes above the floor. */
function diskWith(room: number) {
  const disk = { blocks: room + 5000, bavail: room + 1000, bsize: 1, files: 10, ffree: 10 }
  const space = new FreeSpace('', 1000, async () => ({ ...disk }))
  return {
    disk,
    space,
    /** An upload that writes: the disk has the bytes, and then it is told so. */
    write: async ({ extend, wrote }: Awaited<ReturnType<FreeSpace['reserve']>>, bytes: number) => {
      disk.bavail -= bytes
      wrote(bytes)
      await extend()
    },
    /** The largest upload, in MiB, that would begin now. */
    largest: async (): Promise<number> => {
      let [fits, less] = [0, 100 * 1024]
      while (less - fits > 1) {
        const middle = Math.floor((fits + less) / 2)
        const size = middle * MIB
        if (
          await space.reserve(size).then(
            ({ end }) => (end(), true),
            () => false,
          )
        )
          fits = middle
        else less = middle
      }
      return fits
    },
  }
}

t.test('what fits is above the floor of the real file system', async (t) => {
  const folder = tempFolder()
  const { bavail, bsize } = statfsSync(folder)
  const unit = Math.floor((bavail * bsize) / 10) // large: other programs write to this file system, too
  const space = new FreeSpace(folder, bavail * bsize - 4 * unit)
  for (const bytes of [0, 3.5 * unit]) (await space.reserve(bytes)).end()
  await t.rejects(space.reserve(4.5 * unit), noRoom)
  const below = new FreeSpace(folder, Number.MAX_SAFE_INTEGER)
  await t.rejects(below.reserve(0), noRoom, 'below the floor already')
})

t.test('a disk without inodes has no room', async (t) => {
  const { disk, space } = diskWith(GIB)
  disk.ffree = 0
  await t.rejects(space.reserve(0), noRoom)
  disk.files = 0 // a file system that does not count them
  ;(await space.reserve(0)).end()
})

t.test('idle uploads of 3 GB each hold 128 MiB each, and others have the rest', async (t) => {
  const { space, largest } = diskWith(57 * GIB)
  const idle = await Promise.all(Array.from({ length: 19 }, () => space.reserve(3 * GIB)))
  t.equal(await largest(), 57 * 1024 - 19 * 128)
  for (const { end } of idle) end()
  t.equal(await largest(), 57 * 1024)
})

t.test('what does not fit at all is refused before it comes', async (t) => {
  const { space, largest } = diskWith(GIB)
  await t.rejects(space.reserve(GIB + 1), noRoom)
  t.equal(await largest(), 1024, 'and sets nothing aside')
})

t.test('the promise goes along with the body, and ends with it', async (t) => {
  const { space, write, largest } = diskWith(1024 * MIB)
  const upload = await space.reserve(500 * MIB)
  for (const [bytes, ahead] of [
    [100, 128],
    [100, 128],
    [150, 128],
    [50, 100],
    [80, 20],
    [20, 0],
  ] as const) {
    const before = await largest()
    await write(upload, bytes * MIB)
    const after = await largest()
    t.ok(after <= before, `after ${bytes} MiB more`)
    t.equal(after, 1024 - written(bytes) - ahead)
  }
  upload.end()
  t.equal(await largest(), 524)
})
let sum = 0
const written = (bytes: number): number => (sum += bytes)

t.test('what others took meanwhile makes the next promise fail', async (t) => {
  const { disk, space, write } = diskWith(500 * MIB)
  const upload = await space.reserve(400 * MIB)
  await write(upload, 100 * MIB)
  disk.bavail -= 260 * MIB // another program
  upload.wrote(20 * MIB)
  disk.bavail -= 20 * MIB
  await t.rejects(upload.extend(), noRoom)
  upload.end()
})

t.test('none is given back twice, and an extension after the end promises nothing', async (t) => {
  const { space, largest } = diskWith(1024 * MIB)
  const upload = await space.reserve(100 * MIB)
  const other = await space.reserve(24 * MIB)
  t.equal(await largest(), 900)
  upload.wrote(500 * MIB) // a body that is longer than was stated
  t.equal(await largest(), 1000)
  const second = await space.reserve(GIB / 2)
  const extending = second.extend()
  second.end()
  second.end()
  await extending
  t.equal(await largest(), 1000, 'the other promise stays')
  other.end()
  t.equal(await largest(), 1024)
})

t.test('an upload of unknown size is promised nothing, and ends when the disk is full', async (t) => {
  const { disk, space, write, largest } = diskWith(100 * MIB)
  const unknown = await space.reserve(0, 'ci')
  t.equal(await largest(), 100)
  await write(unknown, 60 * MIB)
  disk.bavail -= 41 * MIB
  await t.rejects(unknown.extend(), noRoom)
  unknown.end()
})

t.test('all uploads of an account are promised a quarter of what others leave, and go on', async (t) => {
  const { space, write, largest } = diskWith(1024 * MIB)
  const mine = await Promise.all(Array.from({ length: 9 }, () => space.reserve(512 * MIB, 'bad')))
  t.equal(await largest(), 768)
  const others = await Promise.all(Array.from({ length: 9 }, () => space.reserve(512 * MIB, 'worse')))
  t.equal(await largest(), 576)
  const good = await space.reserve(100 * MIB, 'good')
  const last = mine.at(-1)
  if (last) await write(last, 50 * MIB) // it was promised nothing
  await write(good, 100 * MIB)
  for (const { end } of [...mine, ...others, good]) end()
  t.equal(await largest(), 1024 - 150)
})

t.test('one upload that takes most of a small disk goes on to its end', async (t) => {
  const { space, write, largest } = diskWith(100 * MIB)
  const upload = await space.reserve(99 * MIB, 'ci')
  t.equal(await largest(), 75)
  for (let i = 0; i < 99; i++) await write(upload, MIB)
  upload.end()
  t.equal(await largest(), 1)
})

t.test('it tells what there is, and inodes where they are counted', async (t) => {
  const { disk, space } = diskWith(GIB)
  const bytes = { size: GIB + 5000, free: GIB + 1000, floor: 1000 }
  t.same(await space.figures(), { ...bytes, promised: 0, inodes: 10, inodesFree: 10 })
  const { end } = await space.reserve(MIB)
  t.equal((await space.figures()).promised, MIB)
  end()
  disk.files = 0
  t.same(await space.figures(), { ...bytes, promised: 0 })
})
