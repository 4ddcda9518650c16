// Two judges of a module zip, we and go, and what they disagree on.

import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test as Tap } from 'tap'
import { problemLine } from '../../src/gomod/problems.js'
import { readModuleZip } from '../../src/modzip/read-zip.js'
import { buildOracle, startOracle } from '../support/oracle.js'
import { tempFolder } from '../support/temp-folder.js'

/** Zips that are judged at the same time: go judges one while we judge others. */
const AT_ONCE = 4
/** Disagreements after which no more zips are judged. */
const ENOUGH = 5

/** Refusals by rules that are ours: where these stand alone, go may accept. */
const OURS = [
  /^the zip has no entries$/,
  /: checksum error$/, // only where the stored CRC is 0
  /: file (?:name|path) too long/, // of directories: go does not make empty ones
  /: its data ends behind the last byte of the zip$/, // go reads what there is, and that may be enough
  /: encrypted entry/,
  /: overlaps the entry/,
  /: directory entry with content$/,
  /: no local file header at byte/, // of a directory entry: go never opens those when it extracts
  /: a stored entry whose two sizes differ$/,
]

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Starts go's judge. `counts` are of all zips so far; `ours` were refused by rules of ours alone. */
export function startJudges() {
  const folder = tempFolder('plinth-differential')
  const oracle = startOracle(buildOracle())
  const counts = { zips: 0, accepted: 0, refused: 0, ours: 0 }

  /** Undefined when the two agree; else what they disagree on. */
  async function compare(zip: Buffer): Promise<string | undefined> {
    const path = join(folder, `${counts.zips++}.zip`)
    writeFileSync(path, zip)
    const [reading, go] = await Promise.all([readModuleZip(path), oracle.ask(path)])
    rmSync(path)
    if (reading.ok) {
      counts.accepted++
      if (!go.ok) return `we accept it, go says: ${go.error}`
      if (go.error !== '') return `we accept it, go cannot hash it: ${go.error}`
      return reading.zip.zipHash === go.h1 ? undefined : `hash: ours ${reading.zip.zipHash}, go's ${go.h1}`
    }
    counts.refused++
    const lines = reading.problems.map(problemLine)
    if (!go.ok) return undefined
    if (lines.every((line) => OURS.some((rule) => rule.test(line)))) {
      counts.ours++
      return undefined
    }
    return `go accepts it, we say: ${lines.join(' | ')}`
  }

  return {
    counts,
    compare,
    /** Judges `count` zips that `make` makes. A zip on which the judges disagree is kept in a file. */
    async compareMany(t: Tap, what: string, count: number, make: () => Buffer): Promise<void> {
      let made = 0
      let disagreements = 0
      const one = async (): Promise<void> => {
        while (made < count && disagreements < ENOUGH) {
          const kept = join(tmpdir(), `plinth-disagreement-${what}-${made++}.zip`)
          const zip = make()
          const difference = await compare(zip)
          if (difference === undefined) continue
          disagreements++
          writeFileSync(kept, zip)
          t.fail(difference, { kept })
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, one))
      const { zips, accepted, refused, ours } = counts
      t.comment(`${zips} zips: ${accepted} accepted by both, ${refused} refused, ${ours} of them by us alone`)
      t.equal(disagreements, 0)
    },
    stop: oracle.stop,
  }
}
