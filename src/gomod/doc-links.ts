// The plain text of a paragraph of a go documentation comment: links lose their brackets, and ASCII quotation marks
// become typographic ones. As go/doc/comment has it (parse.go: parseLinkedText, parseText).

import { isLetter, isUpper } from './fold.js'

/** go/doc/comment stdPkgs: the packages of the standard library whose path has one element. */
const STANDARD = new Set(
  (
    'bufio bytes cmp context crypto embed encoding errors expvar flag fmt hash html image io iter log maps math mime ' +
    'net os path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing time unicode ' +
    'unique unsafe weak'
  ).split(' '),
)

/** `links` are the texts that the comment defines as links. Symbols of the package itself are not known here. */
export function docText(text: string, links: ReadonlySet<string>): string {
  let out = ''
  let written = 0
  let start = -1 // of the link under way
  let name = '' // what is in its brackets
  for (let at = 0; at < text.length; at++) {
    const char = /[\n\t]/.test(text.charAt(at)) ? ' ' : text.charAt(at)
    if (char === '[') start = at
    else if (char === ']') {
      const inside = text.slice(start + 1, at)
      if (start >= 0 && (links.has(name) || isDocLink(inside, text.slice(0, start), text.slice(at + 1)))) {
        out += quoted(text.slice(written, start)) + quoted(inside)
        written = at + 1
      }
      start = -1
      name = ''
    } else if (start >= 0) name += char
  }
  return out + quoted(text.slice(written))
}

// "``a''" → “a”; three and more backquotes are Markdown. Unlike go it does not look for addresses, which may have ''.
const quoted = (text: string): string =>
  text.replaceAll(/```+|``|''/g, (marks) => (marks === '``' ? '“' : marks === "''" ? '”' : marks))

/** The common characters of unicode.IsPunct: new versions of Unicode add others. */
const PUNCTUATION = new RegExp(
  String.raw`[!-#%-*,-/:;?@[-\]_{}\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf` +
    String.raw`\u2010-\u2027\u2030-\u2043\u2045-\u2051\u3001-\u3003\u3008-\u3011]`,
)

const mayBeBeside = (char: string): boolean => char === '' || /[ \t\n]/.test(char) || PUNCTUATION.test(char)

/** Whether [text] links to a package or a symbol in one: [io], [io.Reader], [encoding/json.Decoder.Decode]. */
function isDocLink(text: string, before: string, after: string): boolean {
  if (!mayBeBeside(before.slice(-1)) || !mayBeBeside(after.slice(0, 1))) return false
  const path = withoutName(withoutName(text.replace(/^\*/, '')))
  return path.includes('/') ? isImportPath(path) : STANDARD.has(path)
}

// 'io.Reader' → io, 'io.reader' → io.reader, 'Reader' → ''
function withoutName(text: string): string {
  const dot = text.lastIndexOf('.')
  if (!isName(text.slice(dot + 1))) return text
  return dot < 0 ? '' : text.slice(0, dot)
}

function isName(text: string): boolean {
  const chars = [...text]
  return isUpper(chars[0] ?? '') && chars.every((char) => (char < '\x80' ? /\w/.test(char) : isLetter(char)))
}

const isImportPath = (path: string): boolean =>
  !path.startsWith('-') && path.split('/').every((element) => /^(?!\.)[\w.~+-]+(?<!\.)$/.test(element))
