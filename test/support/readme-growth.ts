// A program: prints for each of many texts how the time of a README grows with its length, as `name⇥times` in a line.

import { renderReadme } from '../../src/views/markdown.js'

const render = (text: string): string => renderReadme('README.md', text, { images: false })

/** Texts that take renderers of Markdown the square of their length, each as the text of so many characters. */
const repeated = (unit: string) => (chars: number) => unit.repeat(chars / unit.length)
const nested = (open: string, close: string) => (chars: number) => {
  const times = chars / (open.length + close.length)
  return `[a]: b\n\n${open.repeat(times)}a${close.repeat(times)}`
}
const SQUARES: Readonly<Record<string, (chars: number) => string>> = {
  'open brackets': repeated('['),
  'open images': repeated('!['),
  'links that stay open': repeated('[a]('),
  'addresses that stay open': repeated('[a](<b'),
  'brackets in brackets': nested('[', ']'),
  'images in images': nested('![', '](b)'),
  stars: repeated('*a **a '),
  'stars and lines': repeated('*a_ '),
  tildes: repeated('~~a~ '),
  'runs of backticks': (chars) => {
    let text = ''
    for (let run = 1; text.length < chars; run++) text += `${'`'.repeat(run)} `
    return text.slice(0, chars)
  },
  quotations: repeated('> '),
  'lines after deep quotations': (chars) => `${'> '.repeat(90)}a\n${'b\n'.repeat(chars / 2)}`,
  'deeper lists': (chars) => {
    let text = ''
    for (let depth = 0; text.length < chars; depth++) text += `${'  '.repeat(depth)}- a\n`
    return text.slice(0, chars)
  },
  'lists on one line': repeated('- '),
  definitions: (chars) => {
    let text = ''
    for (let at = 0; text.length < chars; at++) text += `[${at}]: /u\n`
    return text
  },
  'a title that stays open': (chars) => `[a]: /u "${'b\n'.repeat(chars / 2)}`,
  'labels that stay open': repeated('[a\n'),
  'angle brackets': repeated('<http:'),
  comments: repeated('<!--'),
  entities: repeated('&a'),
  'a wide table': (chars) =>
    `${'|a'.repeat(chars / 8)}|\n${'|-'.repeat(chars / 8)}|\n${'|\n'.repeat(chars / 4)}`,
  'equal headings': repeated('# a\n'),
  'headings that count': (chars) => {
    let text = ''
    for (let at = 1; text.length < chars / 2; at++) text += `# a-${at}\n`
    return text + '# a\n'.repeat(chars / 8)
  },
  spaces: (chars) => `a${' '.repeat(chars)}b`,
  lines: repeated('\n'),
}

const cpuOf = (run: () => unknown): number => {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/**
 * How many times as much time eight times as much text takes: 8 when in proportion, 64 for a square. The larger one is as
 * long as what is rendered may be.
 */
const growth = (text: (chars: number) => string): number => {
  const [small, large] = [text(16_000), text(128_000)]
  const least = Math.min(
    cpuOf(() => render(small)),
    cpuOf(() => render(small)),
  )
  return cpuOf(() => render(large)) / least
}

for (const [name, text] of Object.entries(SQUARES)) {
  let times = growth(text)
  for (let again = 0; again < 3 && times > 30; again++) times = growth(text)
  process.stdout.write(`${name}\t${times.toFixed(1)}\n`)
}
