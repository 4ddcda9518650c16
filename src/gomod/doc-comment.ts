// Finds the first paragraph of a go documentation comment, and the links that the comment defines: go/doc/comment
// (parse.go: Parse, parseSpans), of which nothing else is needed here.

import { isLetter, isUpper } from './fold.js'
import { trimSpace } from './spaces.js'

type Kind = 'code' | 'heading' | 'list' | 'paragraph'

/** Lines from `start` to before `end`. */
type Span = { start: number; end: number; kind: Kind }

/** `links` are the texts that the comment defines as links. */
type FirstParagraph = { text: string; links: ReadonlySet<string> }

/** The first paragraph of a comment's text; `undefined` when it begins with something else, or with nothing. */
export function firstParagraph(text: string): FirstParagraph | undefined {
  const lines = unindent(text.split('\n'))
  const links = new Set<string>()
  let first: string | undefined
  for (const { start, end, kind } of spansOf(lines)) {
    const span = lines.slice(start, end)
    const defined = kind === 'paragraph' ? definitionsIn(span) : undefined
    for (const link of defined ?? []) links.add(link)
    if (defined) continue
    if (kind !== 'paragraph' && first === undefined) return undefined
    first ??= span.join('\n')
  }
  return first === undefined ? undefined : { text: first, links }
}

const isIndented = (line: string): boolean => line.startsWith(' ') || line.startsWith('\t')

/** Takes the indentation that all lines have, the blank lines around them, and the spaces of blank lines. */
function unindent(lines: readonly string[]): string[] {
  const start = lines.findIndex((line) => line !== '')
  const end = lines.findLastIndex((line) => line !== '') + 1
  const inner = start < 0 ? [] : lines.slice(start, end)
  let prefix = /^[ \t]*/.exec(inner[0] ?? '')?.[0] ?? ''
  for (const line of inner) {
    if (line === '') continue
    let common = 0
    while (common < prefix.length && line.charAt(common) === prefix.charAt(common)) common++
    prefix = prefix.slice(0, common)
  }
  const out = inner.map((line) => (trimSpace(line) === '' ? '' : line.slice(prefix.length)))
  return out.slice(
    out.findIndex((line) => line !== ''),
    out.findLastIndex((line) => line !== '') + 1,
  )
}

const MARKER = /^(?:[•*+-]|[0-9]+[.)])[ \t]/

/** Whether the line begins an item of a list, indented or not. */
function isList(line: string): boolean {
  const trimmed = trimSpace(line)
  return MARKER.test(trimmed)
}

/** The spans of the comment, with go's guesses at code and lists whose indentation was forgotten. */
function* spansOf(lines: readonly string[]): Generator<Span> {
  const line = (at: number): string => lines[at] ?? ''
  let forced = 0 // lines before this one count as indented
  for (let at = 0; ;) {
    while (at < lines.length && line(at) === '') at++
    if (at >= lines.length) return
    const start = at
    if (start < forced || isIndented(line(start))) {
      const end = indentedEnd(lines, start, forced)
      yield { start, end, kind: isList(line(start)) ? 'list' : 'code' }
      at = end
      continue
    }
    let end = start + 1
    while (end < lines.length && line(end) !== '' && !isIndented(line(end))) end++
    const left = linesLeftForNext(lines, start, end)
    if (left > 0) forced = end
    end -= left
    if (end > start) yield { start, end, kind: isHeading(lines, start, end) ? 'heading' : 'paragraph' }
    at = end
  }
}

/** Where indented lines end that begin at `start`. Blank lines are among them, but not at the end. */
function indentedEnd(lines: readonly string[], start: number, forced: number): number {
  const line = (at: number): string => lines[at] ?? ''
  let takesItems = start < forced && isList(line(start)) // up to the first blank line
  let end = start + 1
  for (; end < lines.length; end++) {
    if (line(end) === '') takesItems = false
    else if (end >= forced && !isIndented(line(end)) && !(takesItems && isList(line(end)))) break
  }
  while (line(end - 1) === '') end--
  return line(end).startsWith('}') ? end + 1 : end
}

/** How many of the last lines before the indented line `end` belong to it: items of a list, or the start of code. */
function linesLeftForNext(lines: readonly string[], start: number, end: number): number {
  const next = lines[end] ?? ''
  if (next === '' || isList(next)) return 0
  let first = end
  while (first > start && isList(lines[first - 1] ?? '')) first--
  if (first < end) return end - first
  return /[{\\]$/.test(lines[end - 1] ?? '') ? 1 : 0
}

function isHeading(lines: readonly string[], start: number, end: number): boolean {
  const [line = ''] = lines.slice(start, end)
  if (end - start !== 1) return false
  return (/^#[ \t]/.test(line) && trimSpace(line) !== '#') || isOldHeading(lines, start)
}

const isAnyLetter = (char: string): boolean => (char < '\x80' ? /[A-Za-z]/.test(char) : isLetter(char))

/** A heading of the time before `# `: a line that stands alone between paragraphs and looks like a title. */
function isOldHeading(lines: readonly string[], at: number): boolean {
  const next = lines[at + 2]
  if (at === 0 || lines[at - 1] !== '' || lines[at + 1] !== '' || next === undefined || isIndented(next))
    return false
  const line = trimSpace(lines[at] ?? '')
  const chars = [...line]
  const [first = '', last = ''] = [chars[0], chars.at(-1)]
  if (!isUpper(first) || !(isAnyLetter(last) || /[0-9]/.test(last))) return false
  if (/[;:!?+*/=[\]{}_^°&§~%#@<">\\]/.test(line)) return false
  return !/'(?!s(?: |$))/.test(line) && !/\.(?: |$)/.test(line)
}

const SCHEMES = ['file', 'ftp', 'gopher', 'http', 'https', 'mailto', 'nntp']

/** The texts that lines like `[text]: https://…` define as links; `undefined` when one of them is no such line. */
function definitionsIn(lines: readonly string[]): string[] | undefined {
  const texts: string[] = []
  for (const line of lines) {
    const end = line.startsWith('[') ? line.indexOf(']:') : -1
    const target = line.slice(end + 3)
    const scheme = trimSpace(target).split('://', 1)[0] ?? ''
    const isDefinition =
      end > 0 && /^[ \t]/.test(line.slice(end + 2)) && target.includes('://') && SCHEMES.includes(scheme)
    if (!isDefinition) return undefined
    texts.push(line.slice(1, end))
  }
  return texts
}
