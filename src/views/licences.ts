// Which files of a module's root are licences, and which licence a text surely is.

import { createHash } from 'node:crypto'
import { LICENCES } from './licence-table.js'
import { licenceWords } from './licence-text.js'

/**
 * golang.org/x/pkgsite internal/licenses FileNames, which counts upper and lower case as equal: names of the files, and
 * what may stand behind the first three.
 */
const NAMES = ['copying', 'licence', 'license']
const EXTENSIONS = ['', '.md', '.markdown', '.txt']
const FILES = new Set([
  ...NAMES.flatMap((name) => EXTENSIONS.map((extension) => `${name}${extension}`)),
  ...['licence', 'license'].flatMap((name) => [
    ...['-2.0.txt', '-apache', '-apache-2.0.txt', '-mit', '.mit', '.code', '.docs', '.rst'].map(
      (rest) => `${name}${rest}`,
    ),
    ...EXTENSIONS.map((extension) => `mit-${name}${extension}`),
    `mit_${name}`,
    `un${name}`,
  ]),
])

/** Whether a file of the module's root is a licence by its name. */
export const isLicenceFile = (name: string): boolean => FILES.has(name.toLowerCase())

/**
 * The SPDX id of a text that is that licence word for word, but for the names of those who license; `undefined` for any
 * other. A licence of the GNU project has the id without `-only` or `-or-later`: the text does not tell.
 */
export function spdxOf(text: string): string | undefined {
  const words = licenceWords(text)
  return words === '' ? undefined : LICENCES.get(createHash('sha256').update(words).digest('base64url'))
}
