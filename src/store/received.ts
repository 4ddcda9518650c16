// What is known of a body that arrived whole, and what is said of one that is too large.

import { Refusal } from '../errors.js'

/** `path` is absolute, `size` in bytes, `sha256` in hex. */
export type Received = { path: string; size: number; sha256: string }

export const tooLarge = (limit: number): Refusal =>
  new Refusal(413, `the upload is too large: at most ${limit} bytes are taken`)
