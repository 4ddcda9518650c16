// Sees that the machine's clock was moved while the service runs. Tokens expire by that clock, and packages get their
// time of publication from it: one that was put back dates a new version before older ones.

import type { Log } from '../log.js'

const LOOK_EVERY_MS = 10_000
/** A clock that is kept right by small steps is not moved by so many seconds. */
const LEAST_SECONDS = 5
/** Seconds that a clock may be put back before `/-/ready` says so. */
const TOLERATED_SECONDS = 60
/** How long it says so. Who put the clock back may have put it right. */
const TOLD_MS = 600_000

/** The wall clock, in ms since the epoch, and one that nobody moves, in ms. */
type Clocks = { wall: () => number; steady: () => number }

export class ClockWatch {
  readonly #log: Log
  readonly #clocks: Clocks
  /** How far the wall clock is ahead of the steady one, in ms. */
  #ahead: number
  /** When the clock was moved last, on the steady one; and how far it is now from where it was at the start, in s. */
  #moved = { at: -Infinity, seconds: 0 }
  #timer: NodeJS.Timeout | undefined

  constructor(log: Log, clocks: Clocks = { wall: Date.now, steady: () => performance.now() }) {
    this.#log = log
    this.#clocks = clocks
    this.#ahead = this.#difference()
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** How far the clock was moved since the start, in seconds; negative when it was put back. */
  get movedSeconds(): number {
    return this.#moved.seconds
  }

  /** Looks at the clocks. A move is logged once. */
  look(): void {
    const ahead = this.#difference()
    const step = Math.round((ahead - this.#ahead) / 1000)
    this.#ahead = ahead // small steps do not add up
    if (Math.abs(step) < LEAST_SECONDS) return
    const seconds = this.#moved.seconds + step
    this.#moved = { at: this.#clocks.steady(), seconds: Math.abs(seconds) < LEAST_SECONDS ? 0 : seconds }
    const back = this.#moved.seconds === 0 && 'it is where it was at the start of the service'
    this.#log('warn', 'the clock was moved, or the machine was asleep', {
      seconds: step,
      ...(back && { back }),
    })
  }

  /** What is wrong with the clock; `undefined` when nothing is. */
  problem(): string | undefined {
    this.look()
    const { at, seconds } = this.#moved
    if (seconds > -TOLERATED_SECONDS || this.#clocks.steady() - at > TOLD_MS) return undefined
    return `the clock of the server was put back by ${-seconds} s`
  }

  #difference(): number {
    return this.#clocks.wall() - this.#clocks.steady()
  }
}
