// When a version of a module cache was published.

import t from 'tap'
import { infoTime, timeWithoutInfo } from '../../src/import/info.js'

const OTHERWISE = new Date('2020-01-02T03:04:05Z')

t.test('a time that no file can have is none', (t) => {
  const year1 = 'v0.0.0-00010101000000-000000000000'
  t.same(timeWithoutInfo(year1, OTHERWISE), OTHERWISE)
  t.same(timeWithoutInfo('v0.0.0-99991231235959-000000000000', OTHERWISE), OTHERWISE)
  t.same(infoTime(year1, JSON.stringify({ Version: year1, Time: '0001-01-01T00:00:00Z' })), {})
  t.same(timeWithoutInfo('v0.0.0-20190102030405-000000000000', OTHERWISE), new Date('2019-01-02T03:04:05Z'))
  t.end()
})
