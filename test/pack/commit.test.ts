import t from 'tap'
import { tagOf } from '../../src/pack/commit.js'

t.test('tags, as go looks for them', async (t) => {
  t.equal(tagOf('', 'v1.2.3'), 'v1.2.3')
  t.equal(tagOf('sub/dir', 'v1.2.3'), 'sub/dir/v1.2.3')
  t.equal(tagOf('v2', 'v2.0.0'), 'v2.0.0')
  t.equal(tagOf('sub/v2', 'v2.0.0'), 'sub/v2.0.0')
  t.equal(tagOf('sub/v1', 'v1.0.0'), 'sub/v1/v1.0.0')
  t.equal(tagOf('', 'v2.0.0+incompatible'), 'v2.0.0')
})
