import t from 'tap'
import { readmeHtml } from '../../src/modzip/readme-html.js'

const TEXT = '# <b>& "x"\n'
const AS_IT_IS = '<pre class="plain"># &lt;b&gt;&amp; &quot;x&quot;\n</pre>'

t.test('a README is rendered', async (t) => {
  const render = (file: string, text: string): string => `${file}: ${text.length}`
  t.equal(readmeHtml('README.md', TEXT, {}, { render }), `README.md: ${TEXT.length}`)
})

t.test('one that cannot be rendered is shown as it is', async (t) => {
  const fail = (): string => {
    throw new Error('no')
  }
  t.equal(readmeHtml('README.md', TEXT, {}, { render: fail }), AS_IT_IS)
  const deep = (): string => deep() + deep()
  t.equal(readmeHtml('README.md', TEXT, {}, { render: deep }), AS_IT_IS, 'a stack that overflows')
})

t.test('one that takes too long is shown as it is', async (t) => {
  const endless = (): string => {
    for (;;);
  }
  t.equal(readmeHtml('README.md', TEXT, {}, { render: endless, timeout: 20 }), AS_IT_IS)
  const backtracking = (): string => String(/^(a+)+$/.test(`${'a'.repeat(50)}b`))
  t.equal(readmeHtml('README.md', TEXT, {}, { render: backtracking, timeout: 20 }), AS_IT_IS)
})

t.test('plain is as it is', async (t) => {
  t.equal(readmeHtml('README.md', TEXT, { plain: true }, { render: () => 'rendered' }), AS_IT_IS)
})
