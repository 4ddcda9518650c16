// The tokens of a go.mod, as golang.org/x/mod/modfile reads them (read.go: readToken).

import { isSpace } from './spaces.js'

/** The go.mod is malformed: go refuses it, in a dependency too. */
export class MalformedGoMod extends Error {}

/**
 * A `word` is an identifier, a quoted string, or one of `[`, `]`, `{`, `}` and `,`. A `comment` has its line for
 * itself and takes the end of the line with it; a `suffix` is a comment behind words, and ends their line.
 */
export type ModToken = { kind: 'word' | 'comment' | 'suffix' | 'newline' | 'end' | '(' | ')'; text: string }

const NEWLINE = 0x0a
const BACKSLASH = 0x5c
const QUOTE = 0x22
const BACKQUOTE = 0x60
const SLASH = 0x2f
const PUNCTUATION = '()[]{},'

/**
 * What unicode.IsPrint refuses above U+007F, but for spaces: controls, format characters, private use. Characters that
 * no version of Unicode has yet are taken for printable here, since the versions of Node differ in them.
 */
const UNPRINTABLE = new RegExp(
  [
    String.raw`[\u0080-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f`,
    String.raw`\u202a-\u202e\u2060-\u206f\ud800-\udfff\ue000-\uf8ff\ufeff\ufff0-\ufffb\u{110bd}\u{110cd}`,
    String.raw`\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e007f}\u{f0000}-\u{10ffff}]`,
  ].join(''),
  'u',
)

function isWordCharacter(code: number): boolean {
  if (code < 0x80) return code > 0x20 && code !== 0x7f && !PUNCTUATION.includes(String.fromCharCode(code))
  return !isSpace(code) && !UNPRINTABLE.test(String.fromCodePoint(code))
}

/** Where the string that begins at `start` ends, behind its closing quote. */
function endOfString(text: string, start: number): number {
  const quote = text.charCodeAt(start)
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === NEWLINE) throw new MalformedGoMod('a newline in a string')
    if (code === quote) return at + 1
    if (code === BACKSLASH && quote === QUOTE) at++
  }
  throw new MalformedGoMod('a string without an end')
}

/** Where the identifier that begins at `start` ends. */
function endOfWord(text: string, start: number): number {
  let at = start
  while (at < text.length) {
    const code = text.codePointAt(at) ?? 0
    if (!isWordCharacter(code)) break
    if (code === SLASH && text.startsWith('//', at)) break
    if (code === SLASH) mustBeNoComment(text, at)
    at += code > 0xffff ? 2 : 1
  }
  if (at === start) throw new MalformedGoMod('a character that cannot be in a go.mod')
  return at
}

function mustBeNoComment(text: string, at: number): void {
  if (text.startsWith('/*', at)) throw new MalformedGoMod('a comment that does not begin with //')
}

/** Yields the tokens of a go.mod, the last of which is `end`. Throws a {@link MalformedGoMod}. */
export function* tokensOf(text: string): Generator<ModToken> {
  let hasWords = false // in this line
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at)
    let end = at + 1
    if (code === 0x20 || code === 0x09 || code === 0x0d) {
      at = end
      continue
    }
    if (text.startsWith('//', at)) {
      const newline = text.indexOf('\n', at)
      end = newline < 0 ? text.length : newline
      yield { kind: hasWords ? 'suffix' : 'comment', text: text.slice(at, end) }
      hasWords = false
      at = end + 1
      continue
    }
    mustBeNoComment(text, at)
    if (code === NEWLINE) yield { kind: 'newline', text: '' }
    else if (code === 0x28 || code === 0x29) yield { kind: code === 0x28 ? '(' : ')', text: text.charAt(at) }
    else {
      if (code === QUOTE || code === BACKQUOTE) end = endOfString(text, at)
      else if (!PUNCTUATION.includes(text.charAt(at))) end = endOfWord(text, at)
      yield { kind: 'word', text: text.slice(at, end) }
    }
    hasWords = code !== NEWLINE
    at = end
  }
  yield { kind: 'end', text: '' }
}
