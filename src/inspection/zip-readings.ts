// Reads module zips for an inspection, and remembers what it has read: the second look at a module reads no zip again.

import type { Stats } from 'node:fs'
import { withGoMod } from '../go/go-mod.js'
import { versionFile, type ModuleVersion } from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { ZipReading } from '../modzip/read-zip.js'
import { signatureOf } from '../store/reading.js'
import type { Store } from '../store/store.js'

const MAX_READINGS = 100
/** The characters of all facts that are remembered. */
const MAX_FACTS = 8 * 2 ** 20

export class ZipReadings {
  readonly #store: Store
  readonly #zips: Pick<CheckPool, 'read'>
  /** path and signature of a zip => what was read */
  readonly #readings = new Map<string, ZipReading>()
  /** The characters of the facts in them. */
  #facts = 0

  constructor(store: Store, zips: Pick<CheckPool, 'read'>) {
    this.#store = store
    this.#zips = zips
  }

  /** Reads the zip at `path`, with its facts. `status` is that of the file now. */
  async read(path: string, status: Stats): Promise<ZipReading> {
    const key = `${path} ${signatureOf(status)}`
    const known = this.#readings.get(key)
    if (known) return known
    const reading = await this.#zips.read(this.#store.at(path), { wantFacts: true })
    this.#facts += reading.ok ? (reading.facts?.length ?? 0) : 0
    if (this.#readings.size > MAX_READINGS || this.#facts > MAX_FACTS) {
      this.#readings.clear()
      this.#facts = 0
    }
    this.#readings.set(key, reading)
    return reading
  }

  /** Writes the `.mod` of a version anew, from its zip. Its time is that of the zip. */
  writeGoMod(at: ModuleVersion, time: Date): Promise<void> {
    const needs = { store: this.#store, zips: this.#zips }
    return withGoMod(needs, versionFile(at, 'zip'), async (reading, mod) => {
      const isRight = reading.ok && reading.zip.module === at.module && reading.zip.version === at.version
      if (!isRight) throw new Error('its zip was changed meanwhile, or takes too long to read')
      await this.#store.place(await this.#store.finish(mod, time), versionFile(at, 'mod'))
    })
  }
}
