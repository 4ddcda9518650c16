import t from 'tap'
import { checkFileName, checkPackageName, checkPackageVersion } from '../../src/generic/names.js'

const longest = 'x'.repeat(255)
const check = (
  title: string,
  rule: (text: string) => string | undefined,
  { good, bad }: { good: string[]; bad: string[] },
): void =>
  void t.test(title, async (t) => {
    for (const text of good) t.equal(rule(text), undefined, JSON.stringify(text))
    for (const text of bad) t.type(rule(text), 'string', JSON.stringify(text))
  })

check('package names', checkPackageName, {
  good: ['a', '0', 'test_package', 'A.b-c+d', '..a', '-a', longest],
  bad: ['', '.', '..', '-', '_', '+', 'a b', 'a/b', 'é', 'a\0', `${longest}x`, 'a%2fb', 'a\\b', 'a\n'],
})

check('package versions', checkPackageVersion, {
  good: ['1.0.3', '1.0.3-te st', '2026年', 'a..b', '...', '%2e%2e', 'a\\b', longest, '-'],
  bad: [
    '',
    ' ',
    ' 1',
    '1 ',
    '1\t',
    '\u00a01',
    '.',
    '..',
    'a/b',
    '/',
    '../x',
    'a\0b',
    'a\nb',
    '\u007f',
    '年'.repeat(86),
  ],
})

check('file names', checkFileName, {
  good: ['a', 'fi-le_na.me', 'a b', '.htaccess', '...', '%2e%2e', '[x](y){z}~!@#$%^&;:=+', longest],
  bad: [
    '',
    ' ',
    ' a',
    'a ',
    '.',
    '..',
    'a/b',
    'a\\b',
    'é',
    'a*b',
    'a"b',
    'a<b',
    'a?b',
    'a\0',
    'a\t',
    `${longest}x`,
  ],
})
