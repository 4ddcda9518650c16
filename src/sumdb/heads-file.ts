// The file `heads`: a line for each head that was signed, the newest last. It says how long the log is.

import { quote } from '../errors.js'
import type { AppendFile } from '../store/append-file.js'
import { DamagedLog } from './damaged-log.js'
import { isSignatureOf, type Head, type Verifier } from './note.js'

/** A head, the bytes that `records` had at its size, and the 64 bytes of the signature under it. */
export type SignedHead = Head & { bytes: number; signature: Buffer }

/** A head, and where its line begins in the file and ends. */
export type HeadLine = { head: SignedHead; start: number; end: number }

/** A line has at most two numbers of 16 digits and 132 characters of base64. */
export const MAX_LINE_BYTES = 256
/** What is read of the end of the file at first. */
const TAIL_BYTES = 4096

/** `{size} {bytes} {root} {signature}⏎`. */
export const headLine = ({ size, bytes, root, signature }: SignedHead): string =>
  `${size} ${bytes} ${root.toString('base64')} ${signature.toString('base64')}\n`

/** Reads a {@link headLine} without its end, whatever its signature; `undefined` for any other text. */
export function parseUnsigned(text: string): SignedHead | undefined {
  const [size = '', bytes = '', root = '', signature = ''] = text.split(' ')
  const head = {
    size: Number(size),
    bytes: Number(bytes),
    root: Buffer.from(root, 'base64'),
    signature: Buffer.from(signature, 'base64'),
  }
  if (!Number.isSafeInteger(head.size) || head.size < 1 || headLine(head) !== `${text}\n`) return undefined
  return head
}

/** Reads a {@link headLine} without its end; `undefined` for any other text, and for one with another signature. */
export function parseHeadLine(text: string, verifier: Verifier): SignedHead | undefined {
  const head = parseUnsigned(text)
  return head && isSignatureOf(verifier, head, head.signature) ? head : undefined
}

/**
 * What is at the end of the file: its last heads, the newest last. `isCut`: there may be others before them.
 * `isDamaged`: there is a line before the last one that is none.
 */
type HeadsTail = { lines: HeadLine[]; isCut: boolean; isDamaged: boolean }

/**
 * Reads the last heads, all of a short file. A last line that is no head was being written when the machine died: it is
 * left out.
 */
export async function readTail(file: AppendFile, verifier: Verifier): Promise<HeadsTail> {
  const size = await file.size()
  const from = Math.max(0, size - TAIL_BYTES)
  const text = (await file.read(from, size)).toString('latin1')
  const lines: HeadLine[] = []
  let isDamaged = false
  let start = from === 0 ? 0 : text.indexOf('\n') + 1
  for (let end = text.indexOf('\n', start); end !== -1; end = text.indexOf('\n', start)) {
    const head = parseHeadLine(text.slice(start, end), verifier)
    const isLast = text.indexOf('\n', end + 1) === -1
    if (head) lines.push({ head, start: from + start, end: from + end + 1 })
    else if (!isLast) isDamaged = true
    start = end + 1
  }
  return { lines, isCut: from > 0, isDamaged }
}

/**
 * Yields the heads between two bytes at which lines begin, the oldest first. Throws at a line that is none. Without a
 * `verifier` signatures are not looked at, which takes a tenth of a millisecond each.
 */
export async function* readHeads(
  file: AppendFile,
  { start, end }: { start: number; end: number },
  verifier?: Verifier,
): AsyncGenerator<SignedHead> {
  let rest = ''
  for await (const piece of file.pieces(start, end)) {
    const lines = (rest + piece.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const head = verifier ? parseHeadLine(line, verifier) : parseUnsigned(line)
      if (!head) throw new DamagedLog(`no signed head: ${quote(line)}`)
      yield head
    }
    if (rest.length > MAX_LINE_BYTES) throw new DamagedLog('a line of the heads is too long')
  }
  if (rest !== '') throw new DamagedLog('the heads are cut off')
}
