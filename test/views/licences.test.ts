// Licences by their names and texts. The texts are those of SPDX.

import t from 'tap'
import licences from 'spdx-license-list/full.js'
import { isLicenceFile, spdxOf } from '../../src/views/licences.js'

const textOf = (spdx: string): string => licences[spdx]?.licenseText ?? ''

/** The id in SPDX's list => ours, where the two are different. */
const SAME_TEXT: Readonly<Record<string, string>> = {
  'AGPL-3.0-only': 'AGPL-3.0',
  'AGPL-3.0-or-later': 'AGPL-3.0',
  'GPL-2.0+': 'GPL-2.0',
  'GPL-2.0-only': 'GPL-2.0',
  'GPL-2.0-or-later': 'GPL-2.0',
  'GPL-3.0+': 'GPL-3.0',
  'GPL-3.0-only': 'GPL-3.0',
  'GPL-3.0-or-later': 'GPL-3.0',
  'LGPL-2.1+': 'LGPL-2.1',
  'LGPL-2.1-only': 'LGPL-2.1',
  'LGPL-2.1-or-later': 'LGPL-2.1',
  'LGPL-3.0+': 'LGPL-3.0',
  'LGPL-3.0-only': 'LGPL-3.0',
  'LGPL-3.0-or-later': 'LGPL-3.0',
  'MPL-2.0-no-copyleft-exception': 'MPL-2.0',
}

const IDS = (
  '0BSD AGPL-3.0 Apache-2.0 BSD-2-Clause BSD-3-Clause CC0-1.0 EPL-2.0 GPL-2.0 GPL-3.0 ISC LGPL-2.1 LGPL-3.0 MIT ' +
  'MPL-2.0 Unlicense Zlib'
).split(' ')
const spdxIdOf = (id: string): string => (id in licences ? id : `${id}-only`)

t.test('of all licences of SPDX those that we know have their id, and no other has one', async (t) => {
  const found = new Set<string>()
  for (const [spdx, { licenseText }] of Object.entries(licences)) {
    const id = spdxOf(licenseText)
    if (id !== undefined) found.add(id)
    if (id !== undefined) t.equal(id, SAME_TEXT[spdx] ?? spdx, spdx)
  }
  t.strictSame([...found].sort(), [...IDS].sort())
})

t.test('a licence in other clothes is the same licence', async (t) => {
  const wrap = (text: string, width: number): string =>
    text
      .split('\n')
      .flatMap((line) => line.match(new RegExp(`.{1,${width}}(?: |$)`, 'g')) ?? [''])
      .join('\n')
  const holders =
    'Copyright (c) 2019-2021 Zoë Example <zoe@example.com>\n© 2022 Example, Inc. All rights reserved.\n\n'
  const clothes: [what: string, (text: string) => string][] = [
    ['upper case', (text) => text.toUpperCase()],
    ['lines of 60 characters', (text) => wrap(text, 60)],
    ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['indented', (text) => text.replaceAll(/^/gm, '\t    ')],
    ['double spaces', (text) => text.replaceAll('. ', '.  ')],
    ['typographic quotes', (text) => text.replaceAll(/"([^"]*)"/g, '“$1”').replaceAll("'", '’')],
    ['a byte order mark', (text) => `\ufeff${text}`],
    ['holders', (text) => holders + text],
    ['https', (text) => text.replaceAll('http://', 'https://')],
  ]
  for (const id of IDS)
    for (const [what, dress] of clothes) t.equal(spdxOf(dress(textOf(spdxIdOf(id)))), id, `${id}: ${what}`)
})

t.test('variants that are in use are known', async (t) => {
  const gpl2 = textOf('GPL-2.0-only')
  const cut = (text: string, behind: string): string => text.slice(0, text.indexOf(behind) + behind.length)
  const mit = textOf('MIT')
  const bsd3 = textOf('BSD-3-Clause')
  const isc = textOf('ISC')
  const apache = textOf('Apache-2.0')
  const table: [id: string, what: string, text: string][] = [
    [
      'GPL-2.0',
      'the old address',
      gpl2.replaceAll(/51 Franklin.*?USA/g, '59 Temple Place, Suite 330, Boston, MA  02111-1307  USA'),
    ],
    ['GPL-2.0', 'without the examples', cut(gpl2, 'END OF TERMS AND CONDITIONS')],
    ['Apache-2.0', 'without the appendix', cut(apache, 'END OF TERMS AND CONDITIONS')],
    [
      'Apache-2.0',
      'with a holder',
      apache.replace('[yyyy] [name of copyright owner]', '2020 The Example Authors'),
    ],
    ['Apache-2.0', 'without letters', apache.replaceAll(/^\([a-d]\) /gm, '')],
    ['LGPL-3.0', 'without the GPL', textOf('LGPL-3.0-only').split('GNU GENERAL PUBLIC LICENSE\n')[0] ?? ''],
    ['MIT', 'with a title', mit.replace('MIT License', 'The MIT License (MIT)')],
    ['MIT', 'as Markdown', mit.replace('MIT License', '# MIT License')],
    ['MIT', 'without a title', mit.replace('MIT License', '')],
    [
      'MIT',
      'with a holder without a year',
      mit.replace('(c) <year> <copyright holders>', 'Example, Inc. and contributors'),
    ],
    [
      'BSD-3-Clause',
      'with stars and a name',
      bsd3.replaceAll(/^\d\./gm, '   *').replace('the copyright holder', 'Google Inc.'),
    ],
    [
      'BSD-3-Clause',
      'of an author',
      bsd3
        .replace('COPYRIGHT HOLDERS AND CONTRIBUTORS', 'AUTHOR')
        .replace('COPYRIGHT HOLDER OR CONTRIBUTORS', 'AUTHOR'),
    ],
    ['BSD-3-Clause', 'with a title', `BSD 3-Clause License\n\n${bsd3}`],
    ['ISC', 'of authors', isc.replaceAll(/\bISC (?=DISC|BE)/g, 'THE AUTHOR ')],
    ['ISC', 'with "and"', isc.replace('and/or', 'and')],
  ]
  for (const [id, what, text] of table) t.equal(spdxOf(text), id, `${id} ${what}`)
})

/** Words of the lines and phrases that name who licenses, and of the addresses of the FSF. */
const HOLDER =
  /^(?:year|yyyy|by|of|the|or|and|name|author|email|owner|copyright|holders?|contributors|inc|ISC|Internet|Systems|Software|Consortium|Free|Foundation|Fifth|Floor|Boston|MA|https?|fsf|org)$/i

t.test('a text that was changed is no known licence', async (t) => {
  const commonsClause =
    '\n\n“Commons Clause” License Condition v1.0\n\nThe Software is provided to you by the Licensor under the License, ' +
    'as defined below, subject to the following condition.\n'
  const changes: [what: string, (text: string) => string][] = [
    ['a word more at the end', (text) => `${text}\nElsewhere.`],
    ['a word more at the beginning', (text) => `Elsewhere.\n${text}`],
    ['the Commons Clause behind it', (text) => text + commonsClause],
    ['the Commons Clause before it', (text) => commonsClause + text],
    ['two licences', (text) => `${text}\n${textOf('WTFPL')}`],
    ['a condition in other letters', (text) => `${text}\n不得用于商业目的。`],
    ['a condition with the holder', (text) => `Copyright (c) 2020 Me. Not for military use.\n\n${text}`],
    [
      'a condition behind the rights',
      (text) => `Copyright (c) 2020 Me.\n\nAll rights reserved, even yours.\n\n${text}`,
    ],
    ['a condition without a year', (text) => `Copyright holders must be paid.\n\n${text}`],
    ['a long holder', (text) => `Copyright (c) 2020 ${'A'.repeat(300)}\n\n${text}`],
  ]
  for (const id of IDS) {
    const text = textOf(spdxIdOf(id))
    for (const [what, change] of changes) t.equal(spdxOf(change(text)), undefined, `${id}: ${what}`)
    const words = [...text.matchAll(/\b[A-Za-z]{2,}\b/g)]
    const step = Math.ceil(words.length / 100)
    for (let i = 0; i < words.length; i += step) {
      const { index = 0, 0: word = '' } = words[i] ?? {}
      const changed = `${text.slice(0, index)}othering${text.slice(index + word.length)}`
      if (spdxOf(changed) !== undefined)
        t.match(word, HOLDER, `${id}: one other word in the place of ${word}`)
    }
  }
  const bsd = textOf('BSD-3-Clause')
  t.equal(
    spdxOf(bsd.replace('the copyright holder', 'those who must be paid')),
    undefined,
    'a condition for a name',
  )
  t.equal(spdxOf(textOf('MPL-2.0').replace('Section 3.1', 'Section 3.2')), undefined, 'another number')
  t.equal(spdxOf(''), undefined)
  t.equal(spdxOf('MIT'), undefined, 'a name is no licence')
})

t.test('names of licence files are those of pkg.go.dev, in any case', async (t) => {
  const yes =
    'LICENSE license LICENCE.md License.txt COPYING COPYING.markdown UNLICENSE LICENSE-APACHE MIT-LICENSE.txt ' +
    'MIT_LICENCE LICENSE.MIT LICENSE-2.0.txt LICENSE-APACHE-2.0.txt LICENSE.rst'
  for (const name of yes.split(' ')) t.ok(isLicenceFile(name), name)
  for (const name of [
    '',
    'LICENSE.go',
    'LICENSES',
    'MY-LICENSE',
    'LICENSE-GPL',
    'COPYING-MIT',
    'licenſe',
    'README',
  ])
    t.notOk(isLicenceFile(name), name)
})

t.test('hostile texts take no time', async (t) => {
  const full = (text: string): string => text.repeat(Math.ceil(2 ** 18 / text.length))
  const pieces = [
    '\n',
    ' ',
    ';',
    '; and ',
    '#',
    '1. ',
    '1.1.',
    'a',
    'a ',
    '日 ',
    'copyright ',
    '(c) 2020\n',
    'https ',
  ]
  pieces.push('51 franklin st ', 'in no event shall ', 'as is and ', 'if not ', 'x'.repeat(50) + ' ', '“')
  for (const piece of pieces) t.equal(spdxOf(full(piece)), undefined, piece)
})
