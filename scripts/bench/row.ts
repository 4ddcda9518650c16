// What a benchmark says: something of ours beside something of others, measured in the same run, in turns.

/** One line of the table. `ours` and `base` are the rounds, in `unit`; without `base` the row stands for itself. */
export type Row = {
  name: string
  unit: string
  ours: number[]
  base?: number[]
  baseName?: string
  goal?: string
}

/** A group of rows that `npm run bench -- NAME` can choose. */
export type Bench = { name: string; what: string; needs: string[]; run: () => Promise<Row[]> }

/** The value that `share` of the numbers are not above; NaN for none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5)

/** Runs both in turns, `rounds` times, after one round each that is not counted. */
export async function inTurns(
  rounds: number,
  ours: () => Promise<number>,
  base: () => Promise<number>,
): Promise<{ ours: number[]; base: number[] }> {
  const found = { ours: [] as number[], base: [] as number[] }
  await ours()
  await base()
  for (let i = 0; i < rounds; i++) {
    found.ours.push(await ours())
    found.base.push(await base())
  }
  return found
}

/** Milliseconds that `action` takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await action()
  return performance.now() - start
}
