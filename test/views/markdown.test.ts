// READMEs are strangers' texts. Every HTML that comes out is held against a strict list of tags and attributes.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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

/** So much that V8 never collects what is young: that takes longer the more there is, and nothing like its share. */
const ROOM_FOR_YOUNG = ['--min-semi-space-size=256', '--max-semi-space-size=256']

t.test('the time that a README takes is in proportion to its length', async (t) => {
  const program = fileURLToPath(new URL('../support/readme-growth.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [...ROOM_FOR_YOUNG, program], {
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const grown = stdout.trimEnd().split('\n')
  t.equal(grown.length, 25)
  for (const line of grown) {
    const [name, times] = line.split('\t')
    t.ok(Number(times) <= 30, `${name}: 8 times as much text takes ${times} times as long`)
  }
})
