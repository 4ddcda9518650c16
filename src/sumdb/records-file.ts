// The file `records`: every record of a log with an empty line behind it, in their order.

import type { AppendFile } from '../store/append-file.js'
import { DamagedLog } from './damaged-log.js'
import { MAX_RECORD_BYTES } from './record.js'

const BLOCK_BYTES = 64 * 1024
const SEPARATOR = '\n\n'

/** Yields the records between two bytes at which records begin. Throws when the text there is not made of records. */
export async function* readRecords(file: AppendFile, from: number, to: number): AsyncGenerator<string> {
  let rest = ''
  let at = from
  for await (const piece of file.pieces(from, to)) {
    const texts = (rest + piece.toString('latin1')).split(SEPARATOR)
    rest = texts.pop() ?? ''
    at += piece.length
    for (const text of texts) yield `${text}\n`
    if (rest.length > MAX_RECORD_BYTES) throw new DamagedLog('the records are damaged')
  }
  if (rest !== '' || at !== to) throw new DamagedLog('the records are cut off')
}

/** The last `count` records before the byte `to`, at which a record begins or the file ends. */
export async function lastRecords(file: AppendFile, to: number, count: number): Promise<string[]> {
  if (count === 0) return []
  let text = ''
  let from = to
  while (from > 0) {
    const start = Math.max(0, from - BLOCK_BYTES)
    const block = await file.read(start, from)
    if (block.length < from - start) throw new DamagedLog('the records are cut off')
    text = block.toString('latin1') + text
    from = start
    // one more than asked for: the first text of a block may be the second half of a record
    if (text.split(SEPARATOR).length > count + 1) break
    if (text.length > (count + 1) * MAX_RECORD_BYTES) throw new DamagedLog('the records are damaged')
  }
  const texts = text.split(SEPARATOR)
  if (texts.pop() !== '' || texts.length < count) throw new DamagedLog('the records are damaged')
  return texts.slice(-count).map((record) => `${record}\n`)
}
