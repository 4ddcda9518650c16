// White space as go's unicode.IsSpace has it. JavaScript's own trim() takes U+FEFF too and leaves U+0085. No regular
// expression: one that looks for spaces at the end takes quadratic time on a text of spaces.

/** unicode.IsSpace. These characters are settled: new versions of Unicode add none. */
export const isSpace = (code: number): boolean =>
  (code >= 0x09 && code <= 0x0d) ||
  code === 0x20 ||
  code === 0x85 ||
  code === 0xa0 ||
  code === 0x1680 ||
  (code >= 0x2000 && code <= 0x200a) ||
  code === 0x2028 ||
  code === 0x2029 ||
  code === 0x202f ||
  code === 0x205f ||
  code === 0x3000

/** strings.TrimSpace */
export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

// ' a  b\n' → ['a', 'b']
/** strings.Fields */
export function fields(text: string): string[] {
  const words: string[] = []
  let start = -1 // where the word under way begins
  for (let at = 0; at <= text.length; at++) {
    const inWord = at < text.length && !isSpace(text.charCodeAt(at))
    if (inWord && start < 0) start = at
    if (inWord || start < 0) continue
    words.push(text.slice(start, at))
    start = -1
  }
  return words
}
