// Begins work on items before their turn, and keeps their order.

/** An item, and what was begun for it. */
type Begun<Item, Result> = { item: Item; result: Promise<Result> }

/**
 * `most` items are begun and not taken yet. After an item that `isEnd` no other one is asked for before it is taken.
 */
type Ahead<Item, Result> = {
  most: number
  begin: (item: Item) => Promise<Result>
  isEnd: (item: Item) => boolean
}

/** Yields the items in their order. `begin` must not reject. */
export async function* lookAhead<Item, Result>(
  items: AsyncIterable<Item>,
  { most, begin, isEnd }: Ahead<Item, Result>,
): AsyncGenerator<Begun<Item, Result>> {
  const begun: Begun<Item, Result>[] = []
  for await (const item of items) {
    begun.push({ item, result: begin(item) })
    while (begun.length > 0 && (begun.length > most || isEnd(item)))
      yield begun.shift() as Begun<Item, Result>
  }
  yield* begun
}
