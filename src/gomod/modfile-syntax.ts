// The statements of a go.mod and the comments that belong to each, as golang.org/x/mod/modfile has them (read.go:
// parseFile, assignComments).

import { MalformedGoMod, tokensOf, type ModToken } from './modfile-tokens.js'

/**
 * A line of words. `before` are the comments on the lines above it, with their slashes, in a block with '' for a blank
 * line; `suffix` is the comment behind it.
 */
export type ModLine = { words: string[]; before: string[]; suffix?: string }

/** A line, or a block: `words` is what stands before its parenthesis, `before` are the comments above it. */
export type ModStatement = ModLine & { lines?: ModLine[] }

const ENDS_LINE: readonly ModToken['kind'][] = ['newline', 'suffix', 'end']

/** The tokens, the next of which can be looked at before it is taken. */
class Tokens {
  readonly #tokens: Iterator<ModToken>
  #next: ModToken

  constructor(text: string) {
    this.#tokens = tokensOf(text)
    this.#next = this.#read()
  }

  get kind(): ModToken['kind'] {
    return this.#next.kind
  }

  get endsLine(): boolean {
    return ENDS_LINE.includes(this.kind)
  }

  take(): ModToken {
    const token = this.#next
    if (token.kind !== 'end') this.#next = this.#read()
    return token
  }

  #read(): ModToken {
    const { done, value } = this.#tokens.next()
    return done === true ? { kind: 'end', text: '' } : value
  }
}

/** Takes what ends a line. Returns the comment, if it is one. */
function takeLineEnd(tokens: Tokens): Pick<ModLine, 'suffix'> {
  const { kind, text } = tokens.take()
  return kind === 'suffix' ? { suffix: text } : {}
}

/** The statements in their order. Throws a {@link MalformedGoMod} where go refuses the whole text. */
export function statementsOf(text: string): ModStatement[] {
  const tokens = new Tokens(text)
  const statements: ModStatement[] = []
  let comments: string[] = []
  while (tokens.kind !== 'end') {
    if (tokens.kind === 'comment') comments.push(tokens.take().text)
    else if (tokens.kind === 'newline') {
      tokens.take()
      comments = [] // a blank line: they belong to no statement
    } else {
      statements.push(takeStatement(tokens, comments))
      comments = []
    }
  }
  return statements
}

function takeStatement(tokens: Tokens, before: string[]): ModStatement {
  const words = [tokens.take().text]
  while (!tokens.endsLine) {
    const { kind, text } = tokens.take()
    if (kind === '(' && tokens.endsLine) return { words, before, lines: takeBlock(tokens) }
    if (kind === '(' && tokens.kind === ')') {
      const closing = tokens.take().text
      if (tokens.endsLine) return { words, before, lines: [], ...takeLineEnd(tokens) }
      words.push(text, closing)
    } else words.push(text)
  }
  return { words, before, ...takeLineEnd(tokens) }
}

/** Takes the lines of a block and the parenthesis that ends it. */
function takeBlock(tokens: Tokens): ModLine[] {
  const lines: ModLine[] = []
  let before: string[] = []
  for (;;) {
    if (tokens.kind === 'end') throw new MalformedGoMod('a block without an end')
    if (tokens.kind === 'suffix') tokens.take()
    else if (tokens.kind === 'comment') before.push(tokens.take().text)
    else if (tokens.kind === 'newline') {
      tokens.take()
      const isFirst = before.length === 0
      if (isFirst ? lines.length > 0 : before.at(-1) !== '') before.push('')
    } else if (tokens.kind === ')') {
      tokens.take()
      if (!tokens.endsLine) throw new MalformedGoMod('words behind the end of a block')
      takeLineEnd(tokens)
      return lines
    } else {
      lines.push(takeLine(tokens, before))
      before = []
    }
  }
}

function takeLine(tokens: Tokens, before: string[]): ModLine {
  const words: string[] = []
  while (!tokens.endsLine) words.push(tokens.take().text)
  return { words, before, ...takeLineEnd(tokens) }
}
