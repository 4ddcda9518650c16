// Reads the beginning of a go source file up to its package clause: the package's name, and the comment that documents
// it. As go/parser (next: lead comments) and go/ast (CommentGroup.Text) have it.

import { isLetter } from './fold.js'

/**
 * `name` is that of the package clause. `doc` is the text of the comment right above it, without its markers, and empty
 * without one. `ignored`: the file says `//go:build ignore`, so it is in no build. `length` is where the clause ends.
 */
type PackageClause = { name: string; doc: string; ignored: boolean; length: number }

/** Characters of documentation that are taken: its beginning has the synopsis. */
const MOST_DOC = 4096

/** A comment as it stands in the source, and the lines that it begins and ends on. */
type Comment = { text: string; line: number; endLine: number }

/** Where the next word begins, its line, and the comments before it. */
type Gap = { at: number; line: number; comments: Comment[] }

/**
 * Reads the package clause of a source, or of the beginning of one; `undefined` when there is none that go can read.
 * Takes time in proportion to the length of what is before the clause.
 */
export function packageClauseOf(source: string): PackageClause | undefined {
  const before = passGap(source, source.startsWith('\ufeff') ? 1 : 0)
  if (!before || !source.startsWith('package', before.at)) return undefined
  const afterKeyword = before.at + 'package'.length
  const gap = passGap(source, afterKeyword)
  if (!gap || gap.at === afterKeyword) return undefined
  const end = identifierEnd(source, gap.at)
  if (end === gap.at || !isClauseEnd(source, end) || source.slice(0, end).includes('\0')) return undefined
  return {
    name: source.slice(gap.at, end),
    doc: textOf(leadOf(before)),
    ignored: before.comments.some(({ text }) => IGNORED.test(text)),
    length: end,
  }
}

const IGNORED = /^\/\/(?:go:build|[ \t]*\+build)[ \t]+ignore[ \t\r]*$/

/** Passes over white space and comments; `undefined` when a comment does not end. */
function passGap(source: string, start: number): Gap | undefined {
  const comments: Comment[] = []
  let line = 1
  let at = start
  for (; at < source.length; at++) {
    const char = source.charAt(at)
    if (char === '\n') line++
    else if (char === '/') {
      const text = commentAt(source, at)
      if (text === undefined) return undefined
      if (text === '') break
      const begin = line
      line += newlinesIn(text)
      comments.push({ text, line: begin, endLine: line })
      at += text.length - 1
    } else if (char !== ' ' && char !== '\t' && char !== '\r') break
  }
  return { at, line, comments }
}

/** The comment that begins at `at`, '' when none does; `undefined` when it does not end. */
function commentAt(source: string, at: number): string | undefined {
  if (source.startsWith('//', at)) {
    const end = source.indexOf('\n', at)
    return source.slice(at, end < 0 ? source.length : end)
  }
  if (!source.startsWith('/*', at)) return ''
  const end = source.indexOf('*/', at + 2)
  return end < 0 ? undefined : source.slice(at, end + 2)
}

function newlinesIn(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}

function identifierEnd(source: string, start: number): number {
  let at = start
  while (at < source.length) {
    const char = String.fromCodePoint(source.codePointAt(at) ?? 0)
    const isPart = char < '\x80' ? (at > start ? /\w/ : /[A-Za-z_]/).test(char) : isLetter(char)
    if (!isPart) break
    at += char.length
  }
  return at
}

/** Whether the clause may end here: at the end of a line or a semicolon, with a comment before it or not. */
function isClauseEnd(source: string, at: number): boolean {
  const end = /[ \t\r]*(?:\n|;|\/\/|\/\*|$)/y
  end.lastIndex = at
  return end.test(source)
}

/** The comments that stand together right above what follows: the last group, when no line is between. */
function leadOf({ comments, line }: Gap): Comment[] {
  let first = comments.length
  let next = line
  if (comments.at(-1)?.endLine !== line - 1) return []
  for (let at = first - 1; at >= 0; at--) {
    const comment = comments[at]
    if (!comment || comment.endLine + 1 < next) break
    first = at
    next = comment.line
  }
  return comments.slice(first)
}

// 'line', 'extern' and 'export' are for compilers; so is //go:generate
const DIRECTIVE = /^(?:(?:line|extern|export) |[a-z0-9]+:[a-z0-9])/

/** The lines of a comment without its markers; none of a directive. */
function linesOf({ text }: Comment): string[] {
  const content = text.replaceAll('\r', '')
  if (content.startsWith('/*')) return content.slice(2, -2).split('\n')
  const line = content.slice(2)
  if (line.startsWith(' ')) return [line.slice(1)]
  return DIRECTIVE.test(line) ? [] : [line]
}

/** go/ast CommentGroup.Text, cut behind MOST_DOC characters. */
function textOf(comments: readonly Comment[]): string {
  let text = ''
  let isBlank = true // the line before
  for (const comment of comments) {
    for (const line of linesOf(comment)) {
      const trimmed = trimEnd(line)
      if (trimmed !== '' || !isBlank) text += `${trimmed}\n`
      isBlank = trimmed === ''
      if (text.length > MOST_DOC) return text.slice(0, MOST_DOC)
    }
  }
  return text.endsWith('\n\n') ? text.slice(0, -1) : text
}

// A regular expression would take quadratic time on a line of spaces.
function trimEnd(line: string): string {
  let end = line.length
  while (end > 0 && ' \t\n\r'.includes(line.charAt(end - 1))) end--
  return line.slice(0, end)
}
