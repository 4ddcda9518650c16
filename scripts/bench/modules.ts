// Modules of a given size whose files pack as source code does.

import { rawZip, type RawEntry } from '../../test/support/raw-zip.js'

/** Text of `bytes` length from a small vocabulary, the same for the same seed; deflate makes a third of it. */
function text(bytes: number, seed: number): Buffer {
  let state = seed * 2654435761 + 1
  const words: string[] = []
  let length = 0
  while (length < bytes) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const word = `${(state >>> 8) % 4000}`.padStart(1 + ((state >>> 3) % 9), 'abcdefghi')
    words.push(word)
    length += word.length + 1
  }
  return Buffer.from(words.join(state % 7 === 0 ? '\n' : ' ')).subarray(0, bytes)
}

/** A module zip with `files` files that hold `bytes` bytes together, a few of them per folder. */
export function sourceModule(module: string, version: string, bytes: number, files: number): Buffer {
  const prefix = `${module}@${version}/`
  const entries = function* (): Generator<RawEntry> {
    yield { name: `${prefix}go.mod`, content: `module ${module}\n\ngo 1.21\n` }
    for (let i = 1; i < files; i++) {
      yield { name: `${prefix}pkg${i % 50}/file${i}.go`, content: text(Math.floor(bytes / files), i) }
    }
  }
  return rawZip(entries())
}
