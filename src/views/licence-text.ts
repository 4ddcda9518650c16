// The words of a licence, in the form in which two copies of the same licence are equal: without case, white space,
// punctuation, numbering, titles, and the names of those who license. As the SPDX matching guidelines have it
// (spdx.github.io/spdx-spec, annex B), but for what they allow inside of sentences.

/** Patterns of words that a condition has and a name does not. */
const CONDITION_WORDS =
  'not must shall only except unless without prohibit\\w* forbid\\w* licen[cs]\\w* \\w*commercial\\w* permi\\w* ' +
  'conditions? provided subject clause use use[ds] using usage sell\\w* fees? pay\\w*'
const CONDITION = new RegExp(String.raw`\b(?:${CONDITION_WORDS.replaceAll(' ', '|')})\b`)

const MOST_NAME_CHARS = 200

/** Whether a text can be a name: one with a word of conditions never is. */
const canBeName = (text: string): boolean => text.length <= MOST_NAME_CHARS && !CONDITION.test(text)

/** Tells who has the copyright, and nothing else; on a line in lower case. */
const COPYRIGHT =
  /^(?:portions )?(?:(?:copyright|copr\.?)[ :,]*(?:\(c\)|©|[0-9]{4}|[<[{]|by )|(?:\(c\)|©) *(?:[0-9]{4}|copyright))/

/** The same without a year or a sign, where no sentence goes on: 'copyright example, inc.'. */
const PLAIN_COPYRIGHT =
  /^copyright (?!(?:and|or|of|in|on|to|is|are|laws?|holders?|owners?|notices?|statements?)\b)/

/** The lines without those on copyrights. */
function withoutCopyrights(lines: readonly string[]): string[] {
  let isBetween = true // no sentence goes on from the line before
  return lines.filter((line) => {
    const isCopyright = (COPYRIGHT.test(line) || (isBetween && PLAIN_COPYRIGHT.test(line))) && canBeName(line)
    const isLeftOut = isCopyright || /^all rights reserved\.?$/.test(line)
    isBetween = isLeftOut || line === ''
    return !isLeftOut
  })
}

// '* ', '## ', '> '
const MARKS = /^(?:[#>*•=-]+ *)+/
// '1. ', '2) '
const NUMBER = /^[0-9]{1,2}[.)] +/

/** The lines without what marks headings and items. A number in the middle of a sentence stays. */
function withoutMarks(lines: readonly string[]): string[] {
  let isBetween = true
  return lines.map((line) => {
    const text = line.replaceAll('\t', ' ').trim().replace(MARKS, '')
    const item = isBetween ? text.replace(NUMBER, '') : text
    isBetween = text === '' || /(?:[.:;]|; (?:and|or))$/.test(text)
    return item
  })
}

/** Punctuation that is not ASCII. Any other character that is not ASCII belongs to a word. */
const TYPOGRAPHIC = /[\u00a0\u00a7\u00a9\u00ab\u00ae\u00b7\u00bb\u2000-\u206f\u2122\u3000\ufeff]/g

const KIND = 'simplified|new|revised|modified|zero clause'
const TITLE = new RegExp(
  String.raw`^(?:the )?(?:mit|isc|0bsd|zlib|(?:(?:${KIND}) )?bsd(?: [023] clause)?)(?: (?:${KIND}))? license ` +
    String.raw`(?:(?:mit|isc|0bsd|bsd|zlib|bsd [023] clause) )?`,
)

/** What some copies of the GPL have at their end. */
const NOT_PROPRIETARY = new RegExp(
  'this general public license does not permit incorporating your program into proprietary programs if your program ' +
    'is subroutine library you may consider it more useful to permit linking proprietary applications with the ' +
    'library if this is what you want to do use the gnu (?:lesser|library) general public license instead of this ' +
    'license ',
)
const ADDRESS = new RegExp(
  '(?:59 temple place|51 franklin st(?:reet)?|675 mass ave) ' +
    '(?:(?:suite|330|fifth|floor|boston|cambridge|ma) ){1,8}(?:02111 1307|02110 1301|02139) (?:usa )?',
  'g',
)

/** Names in sentences, each with what is around it. */
const NAMES: readonly RegExp[] = [
  /(neither the name of )((?:[^ ]+ ){1,12}?)(nor the names of (?:its|their) contributors)/,
  /(software is provided by )((?:[^ ]+ ){1,12}?)(as is and any express)/,
  /(in no event shall )((?:[^ ]+ ){1,12}?)(be liable for any (?:direct|special))/,
  /(as is and )((?:[^ ]+ ){1,12}?)(disclaims? all warranties)/,
]

/** What copies of one licence differ in: the addresses of the FSF, and the examples of how to apply a licence. */
const SAME: readonly (readonly [RegExp, string])[] = [
  [/\bhttps /g, 'http '],
  [/http (?:www )?(?:fsf|gnu) org (?:licenses |philosophy )?(?:why not lgpl html )?/g, ''],
  [/http (?:www )?apache org licenses (?:license 2 0 )?/g, ''],
  [ADDRESS, ''],
  [/if not (?:see|write to the free software foundation inc) /g, 'if not see '],
  [/(?:ty coon|moe ghoul) /g, ''],
  [/one line to give the (?:program|library) name and (?:an|brief) idea of what it does /g, ''],
  [/notice is found description /, 'notice is found '],
  [/copyright (?:19yy|20yy|yyyy|year) name of author /g, ''],
  [/copyright (?:yyyy|year) name of copyright owner /g, ''],
  [/that all there is to it /g, ''],
  [/follow gnu general public license terms /g, 'follow terms '],
  [/modify and or distribute /g, 'modify and distribute '],
  [/authors disclaim all /g, 'authors disclaims all '],
  [NOT_PROPRIETARY, ''],
]

/** The words of a licence's text, with one space between them. Takes time in proportion to the text's length. */
export function licenceWords(text: string): string {
  const lines = withoutMarks(text.toLowerCase().split('\n'))
  const kept = withoutCopyrights(lines).join('\n')
  const words = kept.replaceAll(TYPOGRAPHIC, ' ').match(/[a-z0-9\u0080-\uffff]+/g) ?? []
  let joined = `${words.filter((word) => !/^[a-z]$/.test(word)).join(' ')} `.replace(TITLE, '')
  for (const [pattern, same] of SAME) joined = joined.replace(pattern, same)
  for (const pattern of NAMES)
    joined = joined.replace(pattern, (whole, before: string, name: string, after: string) =>
      canBeName(name) ? `${before}${after}` : whole,
    )
  return joined.trimEnd()
}
