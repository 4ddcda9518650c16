// Which part of a form is the file, read from the tokens of formidable's parser. Fields are counted and dropped.

import { quote, Refusal } from '../errors.js'

/** A piece of a form as the parser found it: the bytes of `buffer` from `start` to `end`, where it has bytes. */
export type FormToken = { name: string; buffer?: Buffer; start?: number; end?: number }

const MAX_FIELDS = 100

// RFC 2045 6.2: the encodings that leave the bytes as they are. RFC 7578 4.7 deprecates all in forms.
const IDENTITY = new Set(['7bit', '8bit', 'binary'])

const wrongCount = (found: string): Refusal =>
  new Refusal(400, `a multipart upload holds exactly one file part, this one holds ${found}`)

// 'form-data; name="a; filename=b"' → false · 'form-data; name="f"; filename="x"' → true
function hasFilename(disposition: string): boolean {
  const unquoted = disposition.replaceAll(/\\./g, '').split('"')
  return unquoted.some((text, index) => index % 2 === 0 && /;\s*filename\*?\s*=/i.test(text))
}

export class FormParts {
  /** The name of the header that is being read. */
  #field = ''
  /** The value of the header that is being read. */
  #value = ''
  /** Whether the part that is being read is a file. */
  #isFile = false
  /** A transfer encoding of that part under which its bytes are not its content. */
  #encoding: string | undefined
  /** Fields so far. */
  #fields = 0
  /** Files so far. */
  #files = 0
  /** Content of the file that was not taken. The first {@link #filled} bytes of it count. */
  readonly #content: Buffer
  #filled = 0

  /** `mostContent`: the bytes of content at most between two calls of {@link takeContent}. */
  constructor(mostContent: number) {
    this.#content = Buffer.allocUnsafe(mostContent)
  }

  /** Takes the next token. Throws a 400 for a form that is not taken. */
  take({ name, buffer, start = 0, end = 0 }: FormToken): void {
    if (name === 'headerField') this.#field += buffer?.toString('latin1', start, end) ?? ''
    else if (name === 'headerValue') this.#value += buffer?.toString('latin1', start, end) ?? ''
    else if (name === 'headerEnd') this.#endHeader()
    else if (name === 'headersEnd') this.#endHead()
    else if (name === 'partData' && this.#isFile && buffer) this.#copy(buffer, start, end)
    else if (name === 'partEnd') this.#forgetPart()
  }

  /** The content of the file that has come since the last call; `undefined` when none has. */
  takeContent(): Buffer | undefined {
    if (this.#filled === 0) return undefined
    const content = Buffer.from(this.#content.subarray(0, this.#filled))
    this.#filled = 0
    return content
  }

  /** Throws a 400 when the form, which has ended, held no file. */
  mustHaveFile(): void {
    if (this.#files === 0) throw wrongCount('none')
  }

  #endHeader(): void {
    const value = this.#value.trim()
    const field = this.#field.toLowerCase()
    this.#field = this.#value = ''
    // RFC 7578 makes a part's Content-Type optional. A part that has one is taken for a file without a name, too.
    if (field === 'content-disposition') this.#isFile ||= hasFilename(value)
    else if (field === 'content-type') this.#isFile ||= value !== ''
    else if (field === 'content-transfer-encoding' && !IDENTITY.has(value.toLowerCase()))
      this.#encoding = value
  }

  #endHead(): void {
    if (!this.#isFile) {
      if (++this.#fields > MAX_FIELDS)
        throw new Refusal(400, `the form cannot be read: it has over ${MAX_FIELDS} fields`)
      return
    }
    if (++this.#files > 1) throw wrongCount('more')
    if (this.#encoding !== undefined)
      throw new Refusal(
        400,
        `the file part has the transfer encoding ${quote(this.#encoding)}: ` +
          'only 7bit, 8bit and binary are taken',
      )
  }

  // The parser uses its buffers again: their bytes are copied at once.
  #copy(buffer: Buffer, start: number, end: number): void {
    if (buffer.copy(this.#content, this.#filled, start, end) < end - start)
      throw new Error('the parser of the form gave more bytes than it got')
    this.#filled += end - start
  }

  #forgetPart(): void {
    this.#field = this.#value = ''
    this.#isFile = false
    this.#encoding = undefined
  }
}
