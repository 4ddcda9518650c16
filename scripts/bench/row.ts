// What a benchmark says: something of ours beside something of others, measured in the same run, in turns.

/** One line of the table. `ours` and `base` are the rounds, in `unit`; without `base` the row stands for itself. */
export type Row = {
  name: string
  unit: string
  ours: number[]
  base?: number[]
  baseName?: string
  /** `≥ 0.95`, `≤ 1.5` of the ratio, or `< 250 ms` of ours. */
  goal?: string
  /** Peak resident memory of the service while this was measured, in MB. */
  peakMb?: number
}

/** How much is measured. */
export type Scale = {
  /** How many rounds count, where `usual` do unless the user says otherwise. */
  rounds: (usual: number) => number
  /** A size: `full`, or `small` for a look whether the row works at all. */
  size: (full: number, small: number) => number
}

/** A group of rows that `npm run bench -- NAME` can choose. */
export type Bench = {
  name: string
  what: string
  needs: string[]
  run: (scale: Scale) => AsyncGenerator<Row> | Promise<Row[]>
}

/** The value that `share` of the numbers are not above; NaN for none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5)

/**
 * The ratios ours : base. Rounds that ran beside each other are compared with each other: what the machine did
 * meanwhile was done to both.
 */
export const ratios = ({ ours, base }: Row): number[] =>
  base?.length === ours.length ? ours.map((value, i) => value / (base[i] ?? NaN)) : []

/** What a row compares with what, in one number; NaN where there is nothing beside it. */
export const ratioOf = (row: Row): number => median(ratios(row))

/** Whether the row's goal is reached; `undefined` where it has none. */
export function isReached(row: Row): boolean | undefined {
  const [, sign, number, unit] = /^([≥≤<]) ([\d.]+)(?: (.+))?$/.exec(row.goal ?? '') ?? []
  if (sign === undefined) return undefined
  const ours = unit === row.unit ? median(row.ours) : (row.peakMb ?? NaN)
  const value = unit === undefined ? ratioOf(row) : ours
  const limit = Number(number)
  return sign === '≥' ? value >= limit : sign === '≤' ? value <= limit : value < limit
}

/**
 * Runs all in turns, `rounds` times, after one round each that is not counted, and gives what each one returned.
 * Every other round goes the other way round, so that nobody always comes after the same one.
 */
export async function inTurns<C extends Record<string, () => Promise<unknown>>>(
  rounds: number,
  contestants: C,
): Promise<Rounds<C>> {
  const names = Object.keys(contestants) as (keyof C)[]
  const found = Object.fromEntries(names.map((name) => [name, [] as unknown[]])) as Rounds<C>
  for (let round = rounds > 1 ? -1 : 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const value = (await contestants[name]?.()) as Rounds<C>[keyof C][number]
      if (round >= 0) found[name].push(value)
    }
  }
  return found
}

type Rounds<C extends Record<string, () => Promise<unknown>>> = {
  [K in keyof C]: Awaited<ReturnType<C[K]>>[]
}

/** Milliseconds that `action` takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await action()
  return performance.now() - start
}
