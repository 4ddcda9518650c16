import { statfsSync } from 'node:fs'
import t from 'tap'
import { FreeSpace } from '../../src/store/free-space.js'
import { tempFolder } from '../support/temp-folder.js'

const folder = tempFolder()
const noRoom = { status: 507, message: /no room left on the server/ }

/** A floor that leaves four units to uploads. A unit is large: other programs write to this file system, too. */
function fourUnits(): { unit: number; space: FreeSpace } {
  const { bavail, bsize } = statfsSync(folder)
  const unit = Math.floor((bavail * bsize) / 10)
  return { unit, space: new FreeSpace(folder, bavail * bsize - 4 * unit) }
}

t.test('what fits is above the floor', async (t) => {
  const { unit, space } = fourUnits()
  await space.mustFit(0)
  await space.mustFit(3.5 * unit)
  await t.rejects(space.mustFit(4.5 * unit), noRoom)
  await t.rejects(
    new FreeSpace(folder, Number.MAX_SAFE_INTEGER).mustFit(0),
    noRoom,
    'below the floor already',
  )
})

t.test('bytes that are set aside count as used', async (t) => {
  const { unit, space } = fourUnits()
  const first = await space.reserve(2 * unit)
  await space.mustFit(1.5 * unit)
  await t.rejects(space.mustFit(2.5 * unit), noRoom)
  await t.rejects(space.reserve(2.5 * unit), noRoom)
  const second = await space.reserve(1 * unit)
  await t.rejects(space.mustFit(1.5 * unit), noRoom)
  first.end()
  second.end()
  await space.mustFit(3.5 * unit)
})

t.test('a reservation that is refused sets nothing aside', async (t) => {
  const { unit, space } = fourUnits()
  await t.rejects(space.reserve(5 * unit), noRoom)
  await space.mustFit(3.5 * unit)
})

t.test('bytes on the disk are no longer set aside, and none is given back twice', async (t) => {
  const { unit, space } = fourUnits()
  const mine = await space.reserve(3 * unit)
  const other = await space.reserve(0.5 * unit)
  mine.wrote(unit)
  await space.mustFit(unit)
  await t.rejects(space.mustFit(2 * unit), noRoom)
  mine.wrote(100 * unit) // a body that is longer than was stated
  await t.rejects(space.mustFit(3.8 * unit), noRoom, 'the other reservation stays')
  mine.end()
  mine.end()
  await t.rejects(space.mustFit(3.8 * unit), noRoom, 'the other reservation stays')
  other.end()
  await space.mustFit(3.8 * unit)
})

t.test('an upload of unknown size sets nothing aside', async () => {
  const { unit, space } = fourUnits()
  const unknown = await space.reserve(0)
  unknown.wrote(unit)
  await space.mustFit(3.5 * unit)
  unknown.end()
  await space.mustFit(3.5 * unit)
})
