// READMEs are strangers' texts. Every HTML that comes out is held against a strict list of tags and attributes.

import t from 'tap'
import { renderReadme } from '../../src/views/markdown.js'
import { randomOf } from '../support/random.js'
import { README_ATTACKS } from '../support/readme-attacks.js'
import { unsafeTags } from '../support/unsafe-tags.js'

const render = (text: string, images = false): string => renderReadme('README.md', text, { images })

t.test('an attack in a README is text', async (t) => {
  for (const [name, text, shown] of README_ATTACKS)
    for (const images of [false, true]) {
      const rendered = render(text, images)
      t.same(unsafeTags(rendered), [], name)
      t.ok(rendered.includes(shown), `${name}: ${rendered}`)
    }
})

t.test('an attack in a file that is no Markdown is text', async (t) => {
  for (const file of ['README', 'README.txt', 'README.rst', 'readme.html', 'README.md.gz'])
    for (const [name, text] of README_ATTACKS) {
      const rendered = renderReadme(file, text, { images: true })
      t.match(rendered, /^<pre class="plain">[^<]*<\/pre>$/, `${file}: ${name}`)
    }
})

t.test('attacks in any order and inside of each other are text', async (t) => {
  const random = randomOf(12)
  const wraps = [
    '> ',
    '- ',
    '# ',
    '**',
    '[',
    '](https://a.example)',
    '![',
    '|',
    '\n|-|-|\n',
    '`',
    '```\n',
    '\n\n',
  ]
  for (let round = 0; round < 600; round++) {
    let text = ''
    for (let part = 0; part < 8; part++) {
      text += random.once(2) ? random.of(wraps) : random.of(README_ATTACKS)[1]
    }
    const wrong = unsafeTags(render(text, round % 2 === 0))
    if (wrong.length > 0) t.same(wrong, [], JSON.stringify(text))
  }
})

t.test('what people write is shown as they mean it', async (t) => {
  const rows: [string, string][] = [
    ['**a** _b_ ~~c~~ `d`', '<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>'],
    [
      '[a](https://a.example/?x=1&y)',
      '<a href="https://a.example/?x=1&amp;y" rel="nofollow noopener noreferrer">a</a>',
    ],
    ['[a](mailto:a@b.example)', '<a href="mailto:a@b.example" rel='],
    ['# Usage\n\n[see](#usage)', '<h3 id="readme-usage">Usage</h3>\n<p><a href="#readme-usage">see</a></p>'],
    ['###### deep', '<h6 id="readme-deep">deep</h6>'],
    ['# Über `go.mod`, [x](y)!', '<h3 id="readme-über-gomod-x">'],
    ['[x](#%C3%9Cber)', '<a href="#readme-%C3%BCber">'],
    ['# a\n# a\n# a-1\n# a', 'id="readme-a-1-1">a-1</h3>\n<h3 id="readme-a-2"'],
    ['|a|b|\n|-|-:|\n|1|2|', '<td class="right">2</td>'],
    ['```go\nx < y\n```', '<pre tabindex="0"><code>x &lt; y\n</code></pre>'],
    ['    indented', '<pre tabindex="0"><code>indented\n</code></pre>'],
    ['\ufeff# a\r\n\r\nb', '<h3 id="readme-a">a</h3>\n<p>b</p>'],
    ['a\u200fb \u{1f469}\u200d\u{1f4bb}', 'a\u200fb \u{1f469}\u200d\u{1f4bb}'],
  ]
  for (const [text, shown] of rows) t.ok(render(text).includes(shown), `${text}: ${render(text)}`)
})

t.test('an image is a link until a setting shows images', async (t) => {
  const badge = '![build](https://a.example/b.svg)'
  const link = '<a href="https://a.example/b.svg" rel="nofollow noopener noreferrer">build</a>'
  const shown = '<img src="https://a.example/b.svg" alt="build" loading="lazy" referrerpolicy="no-referrer">'
  t.equal(render(badge), `<p>${link}</p>\n`)
  t.equal(render(badge, true), `<p>${shown}</p>\n`)
  t.match(render('![](https://a.example/b.svg)'), '>image</a>')
  t.match(
    render(`[${badge}](https://ci.example)`),
    'href="https://ci.example" rel="nofollow noopener noreferrer">build</a>',
  )
  t.match(render(`[${badge}](ci.md)`), link, 'the image of a link that leads nowhere is a link')
  t.match(render(`[${badge}](https://ci.example)`, true), `noreferrer">${shown}</a>`)
})

t.test('a text that is too long for Markdown is shown as it is', async (t) => {
  const most = 128 * 1024
  t.match(render(`# a\n${'b'.repeat(most - 4)}`), /^<h3/)
  t.match(render(`# a\n${'b'.repeat(most - 3)}`), /^<pre class="plain"># a\nb/)
  t.match(render(`# a\n${'é'.repeat(most / 2)}`), /^<pre/, 'bytes are counted')
  t.equal(render('b'.repeat(400_000)), `<pre class="plain">${'b'.repeat(400_000)}</pre>`)
  const longLine = render('<'.repeat(1024 * 1024))
  t.match(longLine, /^<pre class="plain">(?:&lt;){524288}<\/pre>\n<p class="note">The text goes on/)
})

t.test('a text that becomes very much HTML is shown as it is', async (t) => {
  t.match(render('a|b\n-|-\n'.repeat(16_000)), /^<pre class="plain">a\|b/)
})

t.test('one definition of a long address does not become gigabytes', async (t) => {
  const uses = '[a] '.repeat(20_000)
  const long = render(`[a]: https://a.example/${'x'.repeat(40_000)}\n\n${uses}`)
  t.notMatch(long, '<a ')
  const short = render(`[a]: https://a.example/${'x'.repeat(1900)}\n\n${uses}`)
  t.match(short, '<a ')
  t.ok(short.length < 1024 * 1024, `${short.length} characters`)
  const images = render(`[a]: https://a.example/${'x'.repeat(1900)}\n\n${'![a] '.repeat(20_000)}`, true)
  t.ok(images.length < 1024 * 1024, `${images.length} characters`)
})

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
 * long as what is rendered may be. A text that is much shorter than the smaller one fits where V8 keeps what is young, and
 * then takes a twentieth of its share.
 */
const growth = (text: (chars: number) => string): number => {
  const [small, large] = [text(16_000), text(128_000)]
  const least = Math.min(
    cpuOf(() => render(small)),
    cpuOf(() => render(small)),
  )
  return cpuOf(() => render(large)) / least
}

t.test('the time that a README takes is in proportion to its length', async (t) => {
  for (const [name, text] of Object.entries(SQUARES)) {
    let times = growth(text)
    for (let again = 0; again < 3 && times > 30; again++) times = growth(text)
    t.ok(times <= 30, `${name}: 8 times as much text takes ${times.toFixed(1)} times as long`)
  }
})
