// Waits until what attackers left has been cleaned up.

import { setTimeout as wait } from 'node:timers/promises'
import { countFreeSlots } from './free-slots.js'
import type { Soaked } from './soaked-plinth.js'
import { judgeLeft, type Sample } from './verdict.js'

/** Clients that went away are noticed at once. What is left after this is left for good. */
const SETTLED_MS = 30_000
const LOOK_MS = 200

/** What everything uses when nobody asks for anything. With `before` it waits until that is reached, for a while. */
export async function settled(plinth: Soaked, before?: Sample): Promise<Sample> {
  const end = performance.now() + SETTLED_MS
  const isSettled = (sample: Sample): boolean =>
    before ? judgeLeft(before, sample).length === 0 : sample.temps + sample.entries === 0
  while (!isSettled(plinth.sample()) && performance.now() < end) await wait(LOOK_MS)
  const freeSlots = await countFreeSlots(plinth.target())
  return { ...plinth.sample(), freeSlots }
}
