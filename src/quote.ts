// How a value of somebody's stands in a message: quoted, and cut where it stops helping, so that what is said after it
// is read, too.

const MOST_CHARS = 100

// 'a"b' → "a\"b"
export const quote = (text: string): string =>
  JSON.stringify(text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text)
