// Bodies that come faster than the disk takes them.

import { readFileSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Budget } from '../../src/shares/budget.js'
import { writeBody } from '../../src/store/write-body.js'
import { memoryFolder } from '../support/temp-folder.js'
import { untilLate } from '../support/until.js'

const PIECE = 2 ** 16
const MIB = 2 ** 20
const reservation = { extend: async () => {}, wrote: () => {}, end: () => {} }

const UNBOUND = new Budget(Infinity).hold('a')

/** A disk that does nothing until it is let go. */
function makeDisk() {
  const held: (() => void)[] = []
  let isHeld = true
  return {
    turn: async <T>(action: () => Promise<T>): Promise<T> => {
      if (isHeld) await new Promise<void>((resolve) => void held.push(resolve))
      return action()
    },
    letGo: () => {
      isHeld = false
      for (const go of held.splice(0)) go()
    },
  }
}

/** A client that sends `pieces` pieces at once. `asked` is how many of them were taken. */
function makeClient(pieces: number, length = PIECE) {
  const client = {
    asked: 0,
    next: async (): Promise<IteratorResult<Buffer>> => {
      await new Promise(setImmediate)
      if (client.asked === pieces) return { done: true, value: undefined }
      return { done: false, value: Buffer.alloc(length, ++client.asked) }
    },
  }
  return client
}

/** `count` bodies of each account, which share `budget`, on a disk that stands still. */
function makeBodies(
  budget: Budget,
  accounts: readonly string[],
  count: number,
  pieces: number,
  length = PIECE,
) {
  const folder = memoryFolder()
  const disk = makeDisk()
  const bodies = accounts.flatMap((account) =>
    Array.from({ length: count }, (_, n) => {
      const client = makeClient(pieces, length)
      const path = join(folder, `${account}${n}`)
      const sharing = { turn: disk.turn, memory: budget.hold(account), unsynced: UNBOUND }
      const written = writeBody(client.next, { path, limit: 2 ** 30, reservation, sharing })
      return { account, client, path, written }
    }),
  )
  /**
   * Resolves when no body asks for more, and each has asked for `least` pieces: ten looks have found the same. Opening a
   * file waits for a thread.
   */
  const still = async (least = 1): Promise<number> => {
    let [before, same] = [-1, 0]
    const asked = (): number => bodies.reduce((sum, { client }) => sum + client.asked, 0)
    await untilLate(() => {
      same = before === asked() ? same + 1 : 0
      before = asked()
      return same >= 10 && bodies.every(({ client }) => client.asked >= least)
    }, 20)
    return before
  }
  return { bodies, disk, still }
}

t.test('bodies that wait for the disk hold a bounded number of bytes, and each goes on', async (t) => {
  const budget = new Budget(8 * MIB)
  const { bodies, disk, still } = makeBodies(budget, ['a', 'b', 'c'], 40, 40)
  const bytes = (await still()) * PIECE
  const bound = 8 * MIB + bodies.length * PIECE
  t.ok(bytes <= bound, `${bytes} of ${bound} bytes are held`)
  t.ok(bytes >= bodies.length * PIECE, 'each body has a piece at least')
  disk.letGo()
  const received = await Promise.all(bodies.map(({ written }) => written))
  t.ok(received.every(({ size }) => size === 40 * PIECE))
  const one = Buffer.concat(Array.from({ length: 40 }, (_, n) => Buffer.alloc(PIECE, n + 1)))
  t.ok(
    bodies.every(({ path }) => readFileSync(path).equals(one)),
    'every byte is written',
  )
  t.equal(budget.held, 0, 'and nothing is held any more')
})

t.test('an account whose bodies hold its share leaves memory for others', async (t) => {
  const budget = new Budget(8 * MIB)
  const bad = makeBodies(budget, ['bad'], 60, 40)
  await bad.still()
  const good = makeBodies(budget, ['good'], 1, 15)
  t.equal(await good.still(15), 15, 'a body of another account is gathered whole')
  for (const { disk } of [bad, good]) disk.letGo()
  await Promise.all([...bad.bodies, ...good.bodies].map(({ written }) => written))
})

t.test('tiny pieces count with what they take beside their bytes', async (t) => {
  const budget = new Budget(4 * MIB)
  const { bodies, disk, still } = makeBodies(budget, ['a'], 20, 1000, 1)
  const pieces = await still()
  t.ok(pieces < 6000, `${pieces} of ${bodies.length * 1000} pieces are held`)
  disk.letGo()
  await Promise.all(bodies.map(({ written }) => written))
})

/** Counts the bytes of all files that were written and not synced, while `action` runs: the most at a time. */
async function mostUnsynced(action: () => Promise<unknown>): Promise<number> {
  const handle = await open(join(memoryFolder(), 'any'), 'wx')
  const all = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const { writev, datasync } = all
  const unsynced = new Map<FileHandle, number>()
  let most = 0
  all.writev = async function (this: FileHandle, pieces) {
    const written = await writev.call(this, pieces)
    unsynced.set(this, (unsynced.get(this) ?? 0) + written.bytesWritten)
    most = Math.max(
      most,
      [...unsynced.values()].reduce((a, b) => a + b, 0),
    )
    return written as never
  }
  all.datasync = async function (this: FileHandle) {
    const before = unsynced.get(this) ?? 0
    await datasync.call(this)
    unsynced.set(this, (unsynced.get(this) ?? 0) - before)
  }
  try {
    await action()
  } finally {
    Object.assign(all, { writev, datasync })
  }
  return most
}

t.test('bodies of one account have a bounded number of bytes written and not synced', async (t) => {
  const budget = new Budget(32 * MIB)
  const folder = memoryFolder()
  const turn = <T>(action: () => Promise<T>): Promise<T> => action()
  const count = 20
  const holdings = Array.from({ length: count }, () => budget.hold('a'))
  const most = await mostUnsynced(() =>
    Promise.all(
      holdings.map((unsynced, n) => {
        const sharing = { turn, memory: UNBOUND, unsynced }
        const path = join(folder, String(n))
        return writeBody(makeClient(80).next, { path, limit: 2 ** 30, reservation, sharing })
      }),
    ),
  )
  // Beside the share of the account each body has less than 1 MiB and the batch that it writes.
  const bound = 8 * MIB + count * 2 * MIB
  t.ok(most <= bound, `${most} of ${bound} bytes were unsynced`)
  for (const holding of holdings) holding.end()
  t.equal(budget.held, 0)
})

t.test('what is not synced counts until the body is published', async (t) => {
  const budget = new Budget(32 * MIB)
  const unsynced = budget.hold('a')
  const turn = <T>(action: () => Promise<T>): Promise<T> => action()
  const sharing = { turn, memory: UNBOUND, unsynced }
  await writeBody(makeClient(40).next, {
    path: join(memoryFolder(), 'one'),
    limit: 2 ** 30,
    reservation,
    sharing,
  })
  t.equal(budget.held, 40 * PIECE, 'the file is written, and its end not synced')
  unsynced.end()
  t.equal(budget.held, 0)
})
