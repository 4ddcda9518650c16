// How much of something that is shared one account may have.

/**
 * A quarter of what the others leave of `whole`, rounded down. So one account alone has a quarter at most. Each further
 * greedy account takes a quarter of the rest, and N of them leave ¾ to the power of N.
 */
export const shareOf = (whole: number, others: number): number => Math.floor((whole - others) / 4)
