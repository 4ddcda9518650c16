// Counts what an inspection finds, and mends it when that is asked for.

import { dirname } from 'node:path'
import { ignoring, messageOf } from '../errors.js'
import type { Store } from '../store/store.js'
import { NOTHING_INSPECTED, type Fault, type Finding, type Totals } from './finding.js'

export class Reporter {
  readonly #store: Store
  /** Whether findings are mended. */
  readonly #mend: boolean
  /** How far the inspection is. */
  readonly totals: Totals = { ...NOTHING_INSPECTED }

  constructor(store: Store, mend: boolean) {
    this.#store = store
    this.#mend = mend
  }

  /** Mends and counts the findings of one place. Returns the faults among them. Durable when it resolves. */
  async report(findings: readonly Finding[]): Promise<Fault[]> {
    const faults: Fault[] = []
    const changed = new Set<string>()
    for (const finding of findings) {
      const mended = await this.#repair(finding)
      if (mended) changed.add(dirname(finding.path))
      this.#count(finding, mended)
      if (finding.note) continue
      const { path, fault, mend } = finding
      faults.push({ path, fault, mend, byRebuild: finding.repair !== undefined, mended })
    }
    // A repair may have removed the folder of the last view in it, durably.
    for (const folder of changed) await ignoring(['ENOENT'], () => this.#store.sync(folder))
    return faults
  }

  #count({ note }: Finding, mended: boolean): void {
    if (note) this.totals[mended ? 'recorded' : 'unrecorded']++
    else {
      this.totals.faults++
      if (mended) this.totals.mended++
    }
  }

  async #repair(finding: Finding): Promise<boolean> {
    if (!this.#mend || !finding.repair) return false
    try {
      await finding.repair()
      return true
    } catch (error) {
      finding.mend = `rebuild could not mend it: ${messageOf(error)}`
      return false
    }
  }
}
