// Checks of a file system by two sides: in each round one side changes, is done, and the other one is asked at once
// what it sees. The sides are asked by another way than the file system, as clients ask two servers.

import { breaksWithout, isWish, type LocalNeed, type Need, type SharedNeed } from './needs.js'
import { fixedTextOf, grownTextOf, textOf, timeOf, type Sight, type Side } from './side.js'

/** What was found against one need. */
export type Flaw = {
  need: Need
  isWish: boolean
  /** In how many rounds of how many. */
  failed: number
  rounds: number
  breaks: string
  /** The first find. */
  example: string
  /** How long the longest stale sight lasted, where it was watched; it is given up after some seconds. */
  staleMs?: number
}

/** Collects what rounds find. */
export class Flaws {
  readonly #elsewhere: string
  readonly #found = new Map<Need, Flaw>()
  /** In how many rounds each need was looked at. */
  readonly #looked = new Map<Need, number>()

  constructor(elsewhere: string) {
    this.#elsewhere = elsewhere
  }

  /** Notes a round's look at a need: `example` is what was found, nothing when all was well. */
  note(need: LocalNeed | SharedNeed, example: string | undefined, staleMs?: number): void {
    this.#looked.set(need, (this.#looked.get(need) ?? 0) + 1)
    if (example === undefined) return
    const breaks = breaksWithout(need, this.#elsewhere)
    const flaw = this.#found.get(need) ?? {
      need,
      isWish: isWish(need),
      failed: 0,
      rounds: 0,
      breaks,
      example,
    }
    flaw.failed++
    if (staleMs !== undefined) flaw.staleMs = Math.max(flaw.staleMs ?? 0, staleMs)
    this.#found.set(need, flaw)
  }

  /** Whether something was found against the need. */
  has(need: Need): boolean {
    return this.#found.has(need)
  }

  /** Those that Plinth cannot do without come first. */
  all(): Flaw[] {
    return [...this.#found.values()]
      .map((flaw) => ({ ...flaw, rounds: this.#looked.get(flaw.need) ?? 0 }))
      .sort((a, b) => Number(a.isWish) - Number(b.isWish))
  }

  /** How many needs were looked at. */
  get looked(): number {
    return this.#looked.size
  }
}

/** For how long a stale sight is watched. */
export const STALE_WATCHED_MS = 3000
const LOOK_EVERY_MS = 50

const shown = (read: { text: string }): string => `"${read.text.trimEnd().split('\n').at(-1) ?? ''}"`

type Expected = { need: SharedNeed; name: string; wrong: (sight: Sight) => string | undefined }

const hasText =
  (text: string) =>
  ({ stat, read }: Sight): string | undefined => {
    if (typeof stat === 'string' || typeof read === 'string')
      return `${String(typeof stat === 'string' ? stat : read)} in the place of a file`
    if (read.text !== text) return `it reads ${shown(read)}`
    return stat.size === Buffer.byteLength(text)
      ? undefined
      : `it sees a size of ${stat.size} bytes, not ${text.length}`
  }
const cannotBeRead = ({ read }: Sight): string | undefined => {
  if (typeof read !== 'string') return `it still reads ${shown(read)}`
  return read === 'ENOENT' ? undefined : `${read} in the place of ENOENT`
}
/** nginx looks by stat(2) alone whether an owner is public. */
const isGone = (sight: Sight): string | undefined =>
  sight.stat === 'ENOENT' ? cannotBeRead(sight) : (cannotBeRead(sight) ?? 'stat(2) still finds it')

/** What the other side must see when the changes of the round are done. */
const expectedOf = (round: number): Expected[] => [
  { need: 'replaced', name: 'list', wrong: hasText(textOf(round)) },
  { need: 'appeared', name: `new-${round}`, wrong: hasText(textOf(round)) },
  { need: 'removed', name: `gone-${round}`, wrong: cannotBeRead },
  { need: 'closed', name: `public-${round}/file`, wrong: isGone },
  { need: 'led', name: 'latest/file', wrong: hasText(textOf(round)) },
  { need: 'moved', name: `folder-${round}/file`, wrong: cannotBeRead },
  { need: 'moved', name: `moved-${round}/file`, wrong: hasText(textOf(round)) },
  { need: 'grown', name: 'log', wrong: hasText(grownTextOf(round)) },
  { need: 'rewritten', name: 'alive', wrong: hasText(fixedTextOf(round)) },
]

/** One round: `writer` changes, `reader` looks before and after. Rejects when a call fails that should not. */
export async function sharedRound(
  { writer, reader }: { writer: Side; reader: Side },
  round: number,
  flaws: Flaws,
): Promise<void> {
  const expected = expectedOf(round)
  const names = expected.map(({ name }) => name)
  const look = async (): Promise<Sight[]> => (await reader.ask({ do: 'look', names })).sights ?? []
  await writer.ask({ do: 'prepare', round })
  await look() // what it has seen before is what it may remember
  await reader.ask({ do: 'list' })
  await reader.ask({ do: 'glance', names })
  await writer.ask({ do: 'change', round })

  const sights = await look()
  const listed = new Set((await reader.ask({ do: 'list' })).names)
  for (const need of new Set(expected.map((each) => each.need))) {
    const wrong = expected.map((each, at) =>
      each.need === need ? each.wrong(sights[at] ?? NOTHING) : undefined,
    )
    const at = wrong.findIndex((each) => each !== undefined)
    const each = expected[at]
    const staleMs = each && !flaws.has(need) ? await staleFor(reader, each) : undefined
    flaws.note(need, each && `${each.name.replace(/-\d+/, '')}: ${wrong[at]}`, staleMs)
  }
  const dated = sights[1]?.stat ?? ''
  if (typeof dated !== 'string')
    flaws.note(
      'dated',
      dated.mtimeMs === timeOf(round) ? undefined : `it sees ${new Date(dated.mtimeMs).toISOString()}`,
    )
  const unlisted = [`new-${round}`, `moved-${round}`].find((name) => !listed.has(name))
  const stillListed = [`gone-${round}`, `public-${round}`, `folder-${round}`].find((name) => listed.has(name))
  flaws.note(
    'listed',
    unlisted === undefined ? stillListed && 'a removed file is listed' : 'a new file is not listed',
  )
}

const NOTHING: Sight = { stat: 'no answer', read: 'no answer' }

/** How long the reader goes on to see what is wrong, in ms. */
async function staleFor(reader: Side, { name, wrong }: Expected): Promise<number> {
  const begun = performance.now()
  for (;;) {
    const past = performance.now() - begun
    const [sight = NOTHING] = (await reader.ask({ do: 'look', names: [name] })).sights ?? []
    if (wrong(sight) === undefined || past > STALE_WATCHED_MS) return past
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** Both sides try to be the one that makes a file. */
export async function race(sides: readonly [Side, Side], round: number, flaws: Flaws): Promise<void> {
  const answers = await Promise.all(sides.map((side) => side.ask({ do: 'race', round })))
  const bad = (['link', 'exclusive'] as const).flatMap((how) => {
    const winners = answers.filter(({ won }) => won?.[how]).length
    return winners === 1 ? [] : [`${winners} of two made a file by ${how === 'link' ? 'link(2)' : 'O_EXCL'}`]
  })
  flaws.note('one winner', bad[0])
}

/** How long a lock may take to be free again: the program of a FUSE file system hears of a close a little later. */
const FREE_WITHIN_MS = 2000

/** The holder locks a file; the other side must find it locked, and free when the holder lets go. */
export async function lockBoth([holder, other]: readonly [Side, Side], flaws: Flaws): Promise<void> {
  const first = (await holder.ask({ do: 'lock' })).lock
  if (first === 'no flock') return
  if (first !== 'locked') return flaws.note('freed', 'a file that nobody has locked cannot be locked')
  const second = (await other.ask({ do: 'lock' })).lock
  if (second === 'no flock') return void (await holder.ask({ do: 'unlock' }))
  flaws.note(
    'locked',
    second === 'held' ? undefined : 'a file that one side has locked is locked by the other',
  )
  if (second === 'locked') await other.ask({ do: 'unlock' })
  await holder.ask({ do: 'unlock' })
  const begun = performance.now()
  let third = (await other.ask({ do: 'lock' })).lock
  while (third === 'held' && performance.now() - begun < FREE_WITHIN_MS)
    third = (await other.ask({ do: 'lock' })).lock
  flaws.note(
    'freed',
    third === 'locked' ? undefined : 'a lock that one side let go of is not free for the other',
  )
  await other.ask({ do: 'unlock' })
}

/** The writer replaces a file `times` times, from its state `from` on, while the reader reads it. */
export async function readWhile(
  { writer, reader }: { writer: Side; reader: Side },
  { times, from }: { times: number; from: number },
  flaws: Flaws,
): Promise<void> {
  const [, { reads }] = await Promise.all([
    writer.ask({ do: 'replace', times, from }),
    reader.ask({ do: 'read', times: times * 2 }),
  ])
  const { torn = 0, missing = 0, back = 0 } = reads ?? {}
  const bad = torn + missing
  flaws.note('whole', bad > 0 ? `${torn} of ${times * 2} reads had parts of two, ${missing} none` : undefined)
  flaws.note(
    'forward',
    back > 0 ? `${back} of ${times * 2} reads had an older one than the read before` : undefined,
  )
}
