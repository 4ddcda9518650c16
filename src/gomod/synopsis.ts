// The first sentence of a package's documentation, as go/doc Synopsis has it. go shows it in lists of packages.

import { firstParagraph } from './doc-comment.js'
import { docText } from './doc-links.js'
import { isUpper } from './fold.js'
import { fields } from './spaces.js'

/** go/doc IllegalPrefixes: a licence right above the package clause is no documentation. */
const NO_DOCUMENTATION = /^(?:copyright|all rights|author)/i

/**
 * One line without markup, `''` when the documentation has no sentence. Unlike go, which prints them behind the
 * sentence, it leaves the targets of links out.
 */
export function synopsisOf(doc: string): string {
  const sentence = firstSentence(doc)
  if (NO_DOCUMENTATION.test(sentence)) return ''
  const paragraph = firstParagraph(sentence)
  return paragraph ? fields(docText(paragraph.text, paragraph.links)).join(' ') : ''
}

// go/doc firstSentence: a period behind one upper-case letter is that of an initial.
function firstSentence(text: string): string {
  let [third, second, last] = ['', '', '']
  let at = 0
  for (const char of text) {
    const isSpace = char === ' ' || char === '\n' || char === '\r' || char === '\t'
    if (isSpace && last === '.' && (!isUpper(second) || isUpper(third))) return text.slice(0, at)
    if (last === '。' || last === '．') return text.slice(0, at)
    ;[third, second, last] = [second, last, isSpace ? ' ' : char]
    at += char.length
  }
  return text
}
