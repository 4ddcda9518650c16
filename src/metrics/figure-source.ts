// Figures that are looked up at the time of a scrape, from one place: the disk, say. When the look fails or takes too
// long, they are absent and the others are not.

import { Counter, Gauge, type Registry } from 'prom-client'
import { messageOf } from '../errors.js'
import type { Log } from '../log.js'

/** What a figure means. With a `label` there is a number for each of its values. A `total` only grows. */
type Meaning = { help: string; label?: string; total?: true }

/** One number, or one for each value of the label. What is not known is absent. */
type Value = number | Record<string, number> | undefined

/** How long a look may take, in ms, when nothing else is said. */
const LOOK_MS = 2000

export class FigureSource {
  readonly name: string
  readonly #log: Log
  /** Looks up the values, by the names of figures. */
  readonly #look: () => Promise<Record<string, Value>>
  /** Figures by name, with their label. */
  readonly #figures = new Map<string, { figure: Gauge | Counter; label: string | undefined }>()
  /** How long a look may take, in ms. */
  readonly #mostMs: number
  /** The look that is under way. There is never a second one: a disk that hangs must not gather them. */
  #looking: Promise<Record<string, Value>> | undefined
  /** Whether the last look failed: the log says so once. */
  #failed = false

  constructor(
    { registry, log }: { registry: Registry; log: Log },
    name: string,
    figures: Record<string, Meaning>,
    look: () => Promise<Record<string, Value>>,
    mostMs = LOOK_MS,
  ) {
    this.#mostMs = mostMs
    this.name = name
    this.#log = log
    this.#look = look
    for (const [figureName, { help, label, total }] of Object.entries(figures)) {
      const options = { name: figureName, help, labelNames: label ? [label] : [], registers: [registry] }
      const figure = total ? new Counter(options) : new Gauge(options)
      this.#figures.set(figureName, { figure, label })
    }
  }

  /** Looks, and keeps what it has found for the scrape. Resolves whether that went well. */
  async collect(): Promise<boolean> {
    let values: Record<string, Value> = {}
    try {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
      values = await within(this.#mostMs, this.#looking)
      this.#failed = false
    } catch (error) {
      if (!this.#failed) this.#log('warn', 'metrics', { source: this.name, reason: messageOf(error) })
      this.#failed = true
    }
    for (const [name, { figure, label }] of this.#figures) set(figure, label, values[name])
    return !this.#failed
  }
}

function set(figure: Gauge | Counter, label: string | undefined, value: Value): void {
  figure.reset()
  if (typeof value === 'object' && label !== undefined)
    for (const [each, number] of Object.entries(value)) figure.inc({ [label]: each }, number)
  else if (typeof value === 'number') figure.inc(value)
  else if (label === undefined) figure.remove() // a reset left 0
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
