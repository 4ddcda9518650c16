/** Numbers that look random and are the same for the same seed (mulberry32). */
export function randomOf(seed: number) {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    /** A whole number from 0 to `limit` - 1. */
    below,
    /** One of `values`. */
    of: <T>(values: readonly T[]): T => values[below(values.length)] as T,
    /** Whether something happens that happens once in `times`. */
    once: (times: number): boolean => below(times) === 0,
  }
}
