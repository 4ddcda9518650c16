// The beginning of a file as text, while its bytes come piece by piece.

import { StringDecoder } from 'node:string_decoder'

/** Keeps the first bytes of a file, decoded as UTF-8. No character is cut into halves. */
export class TextStart {
  readonly #most: number
  readonly #decoder = new StringDecoder('utf8')
  #text = ''
  /** Of all bytes so far. */
  #size = 0

  /** `most` is in bytes. */
  constructor(most: number) {
    this.#most = most
  }

  take(piece: Buffer): void {
    const more = this.#most - this.#size
    if (more > 0) this.#text += this.#decoder.write(piece.subarray(0, more))
    this.#size += piece.length
  }

  get text(): string {
    return this.#text
  }

  /** Whether the text is that of the whole file. */
  get isWhole(): boolean {
    return this.#size <= this.#most
  }
}
