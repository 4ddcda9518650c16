// The soak's arguments, its ledger, and when it says that a promise was broken.

import t from 'tap'
import { readArguments, UsageError, type Wish } from '../../scripts/soak/arguments.js'
import { Ledger } from '../../scripts/soak/ledger.js'
import {
  exitCode,
  judgeLeft,
  judgeMemory,
  judgePeak,
  judgeServed,
  judgeTimes,
  metText,
  type Met,
  type Sample,
} from '../../scripts/soak/verdict.js'

const KNOWN = ['one', 'two', 'three']

t.test('arguments', async (t) => {
  const table: [words: string, wish: Wish][] = [
    ['', { kind: 'mix', minutes: 60 }],
    ['--minutes 0.5', { kind: 'mix', minutes: 0.5 }],
    ['--attacks', { kind: 'attacks', names: KNOWN, seconds: 60 }],
    ['--attacks --seconds 5', { kind: 'attacks', names: KNOWN, seconds: 5 }],
    ['--attack three --attack one', { kind: 'attacks', names: ['one', 'three'], seconds: 60 }],
    ['--help --minutes x', { kind: 'help' }],
  ]
  for (const [words, wish] of table)
    t.same(readArguments(words.split(' ').filter(Boolean), KNOWN), wish, words)
})

t.test('wrong arguments are named', async (t) => {
  const table: [words: string, says: RegExp][] = [
    ['--minutes 0', /--minutes "0": a number above 0 and up to 10080 is expected/],
    ['--minutes 1e9', /--minutes "1e9"/],
    ['--minutes -1', /--minutes/],
    ['--attacks --seconds 4000', /--seconds "4000": .* up to 3600/],
    ['--seconds 5', /--seconds goes with --attacks/],
    ['--attacks --minutes 5', /--minutes is of the mix/],
    ['--attack four', /there is no attack "four"/],
    ['--nothing', /--nothing/],
    ['word', /word/],
  ]
  for (const [words, says] of table) {
    t.throws(() => readArguments(words.split(' '), KNOWN), { message: says, constructor: UsageError }, words)
  }
})

const usage = { mb: 100, peakMb: 120, descriptors: 30, sockets: 4, threads: 12 }
const sample = (more: Partial<Sample> = {}): Sample => ({
  service: usage,
  nginx: usage,
  start: usage,
  temps: 0,
  entries: 0,
  freeSlots: 256,
  ...more,
})

t.test('what is not given back breaks a promise', async (t) => {
  const { freeSlots: _unknown, ...uncounted } = sample()
  const table: [after: Sample, broken: string[]][] = [
    [sample(), []],
    [uncounted, []],
    [sample({ service: { ...usage, descriptors: 46, threads: 18 } }), []],
    [sample({ service: { ...usage, descriptors: 47 } }), ['descriptors of service: 30 before, 47 after']],
    [sample({ nginx: { ...usage, descriptors: 99 } }), ['descriptors of nginx: 30 before, 99 after']],
    [sample({ start: { ...usage, threads: 19 } }), ['threads of start: 12 before, 19 after']],
    [sample({ temps: 1 }), ['entries of state/tmp: 0 before, 1 after']],
    [sample({ entries: 2 }), ['entries of state/journal: 0 before, 2 after']],
    [sample({ freeSlots: 255 }), ['free upload slots: 256 before, 255 after']],
  ]
  for (const [after, broken] of table) t.same(judgeLeft(sample(), after), broken, broken.join())
})

t.test('memory may grow by a quarter and a little', async (t) => {
  const grown = (mb: number): string[] => judgeMemory(sample(), sample({ service: { ...usage, mb } }))
  t.same(grown(181), [])
  t.same(grown(182), ['memory of service: 100 MB before, 182 MB after'])
  t.same(judgePeak(200), [])
  t.match(judgePeak(201), ["the service's memory reached 201 MB, over 200 MB"])
})

const met = (more: Partial<Met> = {}): Met => ({
  reads: [2, 3],
  writes: [8, 9],
  failedReads: 0,
  failedWrites: 0,
  turnedAway: 0,
  failures: [],
  stoodStill: 12,
  ...more,
})

t.test('every good read and write must be answered as it should be', async (t) => {
  const table: [Met, string[]][] = [
    [met(), []],
    [met({ failedReads: 1 }), ['1 of 3 reads failed']],
    [met({ failedWrites: 2 }), ['2 of 4 writes failed']],
    [met({ reads: [] }), ['none of the reads was answered']],
    [met({ writes: [], failedWrites: 1 }), ['1 of 1 writes failed']],
  ]
  for (const [one, broken] of table) t.same(judgeServed(one), broken, JSON.stringify(one))
})

t.test('a slow write breaks a promise unless the machine is too busy to judge', async (t) => {
  const slow = met({ writes: [8, 1001, 2000] })
  const table: [Met, calm: Met, code: number][] = [
    [met({ writes: [1000] }), met(), 0],
    [met({ writes: [1000] }), met({ writes: [700] }), 0],
    [slow, met({ writes: [500] }), 1],
    [slow, met({ writes: [501] }), 3],
    [met({ ...slow, stoodStill: 600 }), met(), 3],
  ]
  for (const [one, calm, code] of table)
    t.equal(exitCode(judgeTimes(one, calm)), code, JSON.stringify([one, calm]))
  t.same(judgeTimes(slow, met()).broken, ['2 of 3 writes took over 1000 ms, up to 2000 ms'])
  t.equal(exitCode({ broken: ['x'], unjudged: ['y'] }), 1)
  t.equal(
    metText(met({ failedReads: 1 })),
    '2 reads (p99 3 ms, max 3 ms), 1 FAILED, 2 writes (p50 8 ms, p99 9 ms, max 9 ms)',
  )
})

t.test('the ledger finds what was lost, changed, or has come back', async (t) => {
  const ledger = new Ledger()
  for (const path of ['kept', 'lost', 'changed', 'removed', 'back', 'again', 'doubtful'])
    ledger.uploaded(path, Buffer.from(path))
  for (const path of ['removed', 'back', 'again']) ledger.deleted(path)
  ledger.uploaded('again', Buffer.from('again'))
  ledger.doubtful('doubtful')
  const disk = new Map(['kept', 'back', 'again'].map((path) => [path, Buffer.from(path)]))
  disk.set('changed', Buffer.from('other'))
  t.same(await ledger.problems(async (path) => disk.get(path)), [
    'lost was acknowledged and is not there',
    'changed has other bytes than those that were acknowledged',
    'back was deleted and is there',
  ])
})
