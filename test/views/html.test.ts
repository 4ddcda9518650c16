// The template escapes what is not markup.

import t from 'tap'
import { markup, trusted } from '../../src/views/html.js'

t.test('a value in a template is a text', async (t) => {
  const rows: [made: { toString(): string }, is: string][] = [
    [markup`<b>${'<i>&"\''}</b>`, '<b>&lt;i&gt;&amp;&quot;&#39;</b>'],
    [markup`<a href="${'" onclick="x'}">`, '<a href="&quot; onclick=&quot;x">'],
    [markup`${'&lt;'}`, '&amp;lt;'],
    [markup`${undefined}${false}${''}${0}`, '0'],
    [markup`${['<', markup`<br>`, ['>', [3]]]}`, '&lt;<br>&gt;3'],
    [markup`${markup`<b>${'<'}</b>`}`, '<b>&lt;</b>'],
    [markup`${trusted('<i>')}${String(trusted('<i>'))}`, '<i>&lt;i&gt;'],
    [markup`${'a\u202eb\0\u001b\ud800'}`, 'a\\u202eb\\u0000\\u001b\\ud800'],
    [markup`${'a\tb\nc \u200f\u200d'}`, 'a\tb\nc \u200f\u200d'],
  ]
  for (const [made, is] of rows) t.equal(String(made), is)
})
