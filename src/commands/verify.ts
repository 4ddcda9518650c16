// `plinth verify`: checks that everything is as it was published. It only reads.

import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { PLINTH, quote } from '../errors.js'
import type { Totals } from '../inspection/finding.js'
import { MOST_JOBS } from '../inspection/first-looks.js'
import type { SampleRequest } from '../inspection/sample.js'
import { WrongUsage, type Command } from './command.js'
import { timeBefore } from './duration.js'
import { runInspection } from './inspection.js'
import { print } from './print.js'

/** Chooses other files each time, and is short enough to be typed. */
const newSeed = (): string => randomBytes(4).toString('hex')

/** ('1%') → 0.01 of all; ('500') → about 500. */
function sampleIn({ sample, seed }: { sample?: string; seed?: string }): SampleRequest | undefined {
  if (sample === undefined) {
    if (seed !== undefined) throw new WrongUsage('verify --seed needs --sample')
    return undefined
  }
  const [, percent, count] = /^(?:([0-9]{1,3}(?:\.[0-9]{1,6})?)%|([1-9][0-9]{0,8}))$/.exec(sample) ?? []
  const share = Number(percent) / 100
  const size = count === undefined ? { share } : { count: Number(count) }
  if (count === undefined && !(share > 0 && share <= 1))
    throw new WrongUsage(`--sample ${quote(sample)}: a share of up to 100%, as 1%, or a number is expected`)
  if (seed !== undefined && !/^[0-9A-Za-z]{1,64}$/.test(seed))
    throw new WrongUsage(
      `--seed ${quote(seed)}: letters and digits are expected, as this command prints them`,
    )
  return { ...size, seed: seed ?? newSeed() }
}

// read 3 of 250 uploaded files whole (1.2 %), 4.5 MB; the same again: --sample 1% --seed 5f3a9c01
const readText = ({ uploads, read, readBytes }: Totals, again: string): string =>
  `read ${read} of ${uploads} uploaded files whole (${((100 * read) / Math.max(uploads, 1)).toFixed(1)} %), ` +
  `${(readBytes / 1e6).toFixed(1)} MB; the same again: ${again}`

/** In ms since 1970. */
function sinceIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [now, since] = [Date.now(), timeBefore(text, Date.now())]
  if (since > now) throw new WrongUsage(`--since ${quote(text)}: that is still to come`)
  return Math.floor(since)
}

function jobsIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9][0-9]{0,2}$/.test(text) && Number(text) <= MOST_JOBS) return Number(text)
  throw new WrongUsage(`--jobs ${quote(text)}: a number from 1 to ${MOST_JOBS} is expected`)
}

export const verify: Command = {
  name: 'verify',
  options: ['owner', 'since', 'sample', 'seed', 'jobs', 'json'],
  anywhere: () => false,
  usage: `  verify [--owner NAME] [--since TIME] [--sample SHARE|COUNT [--seed SEED]] [--jobs N] [--json]
                    hold every file against what was uploaded and what follows from it; exit code 1 when
                    anything is wrong. --sample 1% reads that share of the uploaded files whole, chosen at
                    random, --sample 500 about so many; of the others it compares the sizes, and all that
                    can be compared without them. It prints the seed that chooses the same files again.
                    --since 36h (30m, 7d, 2w, or a time as 2026-01-31T12:00Z) looks at the versions that were
                    published since, or of which a file was changed or is missing, and always at what is of
                    an owner or of all. --jobs is the number of threads, one for each processor by default`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: {
        owner: { type: 'string' },
        sample: { type: 'string' },
        seed: { type: 'string' },
        since: { type: 'string' },
        jobs: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    })
    const [extra] = positionals
    if (extra !== undefined) throw new WrongUsage(`verify takes no ${quote(extra)}`)
    const { owner, json } = values
    const sample = sampleIn(values)
    const [since, jobs] = [sinceIn(values.since), jobsIn(values.jobs)]
    const asked = {
      mend: false,
      ...(owner !== undefined && { owner }),
      ...(sample && { sample }),
      ...(since !== undefined && { since }),
      ...(jobs !== undefined && { jobs }),
    }
    const { totals } = await runInspection(asked, json)
    if (!json) {
      const { packages, unchanged, files, faults, unrecorded } = totals
      print(`${packages} packages, ${files} files: ${faults} faults`)
      if (since !== undefined)
        print(`${unchanged} packages have not changed since ${new Date(since).toISOString()}`)
      if (sample) print(readText(totals, `--sample ${values.sample} --seed ${sample.seed}`))
      if (unrecorded > 0)
        print(`${unrecorded} files did not come through the service; ${PLINTH} rebuild records their SHA-256`)
    }
    return totals.faults > 0 ? 1 : 0
  },
}
