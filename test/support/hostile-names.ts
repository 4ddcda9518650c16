// Names that a stranger may give to files: each of them would change what a terminal shows, or would begin a line.

/** What a text would begin with if a name had made a line of its own. */
const FORGED = 'forged'

/** Names of files, without a slash. */
export const HOSTILE_NAMES: readonly string[] = [
  'a\x1b[2J\x1b]0;title\x07b',
  `a\n${FORGED}: refused`,
  `a\r\n${FORGED}: mended`,
  `a\r${FORGED}`,
  'a\x7f\b\tb',
  'a\u009b31mb\u0085',
  `a\u2028${FORGED}`,
  `a\u2029${FORGED}`,
  'a\u202egpj.exe\u202c',
  'a\u2066b\u2069\u200e\u200f',
  'a\u200b\ufeff\u{e0041}b',
]

/** Names that are not UTF-8: raw bytes of C1 are commands for some terminals. */
export const HOSTILE_BYTES: readonly Buffer[] = [
  Buffer.from('a\x1b[2J\xff\n', 'latin1'),
  Buffer.from('a\x9b31m', 'latin1'),
]

/** Below U+0020 without the newline, DEL and C1; invisible and reordering characters; separators of lines. */
const UNSEEN = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu

/** What must not be in an output: characters that act or hide, bytes that are no UTF-8, and lines that a name made. */
export function strayIn(output: Buffer | string): string[] {
  const bytes = Buffer.from(output)
  const text = bytes.toString('utf8')
  return [
    ...(Buffer.from(text).equals(bytes) ? [] : ['bytes that are not UTF-8']),
    ...[...text.matchAll(UNSEEN)].map(([char]) => `U+${(char.codePointAt(0) ?? 0).toString(16)}`),
    ...text.split('\n').filter((line) => line.trimStart().startsWith(FORGED)),
  ]
}
