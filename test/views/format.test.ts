// How names, sizes and times are shown.

import t from 'tap'
import { counted, dayOf, grouped, nameOf, sizeOf } from '../../src/views/format.js'

t.test('sizes are short, and exact in their titles', async (t) => {
  const rows: [bytes: number, shown: string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9951, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [1_234_567, '1.2 MB'],
    [5_000_000_000, '5.0 GB'],
    [7_000_000_000_000_000, '7000 TB'],
  ]
  for (const [bytes, shown] of rows)
    t.equal(
      String(sizeOf(bytes)),
      `<data value="${bytes}" title="${grouped(bytes)} byte${bytes === 1 ? '' : 's'}">${shown}</data>`,
    )
  t.equal(grouped(1_234_567), '1,234,567')
  t.same(
    [counted(1, 'version'), counted(0, 'version'), counted(1200, 'version')],
    ['1 version', '0 versions', '1,200 versions'],
  )
})

t.test('a time is a day, and whole in its title', async (t) => {
  t.equal(
    String(dayOf('2026-03-04T05:06:07Z')),
    '<time datetime="2026-03-04T05:06:07Z" title="2026-03-04 05:06:07 UTC">2026-03-04</time>',
  )
})

t.test('a name may break after its slashes, and hides nothing', async (t) => {
  t.equal(String(nameOf('a.b/c<d')), 'a.b/<wbr>c&lt;d')
  t.equal(String(nameOf('1\u200b0\u202e')), '1\\u200b0\\u202e')
})
