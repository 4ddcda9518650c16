// When the next refresh of an owner's views begins. In ms. Pure.

/** A refresh is not begun again at once: it rests so many times what it took. */
const REST_FACTOR = 4
const LEAST_REST_MS = 50
/** From a refresh that failed to the next; twice as long after each that fails. */
const RETRY_AFTER_MS = 100
const MOST_RETRY_MS = 30_000

/** How long it rests after one that took `ms`. */
export const restAfter = (ms: number): number => Math.max(ms * REST_FACTOR, LEAST_REST_MS)

/** How long it waits after so many that failed, one after the other. */
export const retryAfter = (failures: number): number =>
  Math.min(RETRY_AFTER_MS * 2 ** Math.min(failures - 1, 20), MOST_RETRY_MS)
