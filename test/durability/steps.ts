// The publishes and deletes that the tests interrupt at every call, and how far each has come on the disk.

import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownerText } from '../../src/access/rights.js'
import { genericFile, goneFile, ownerFile, versionFile } from '../../src/layout.js'
import { parseTombstone } from '../../src/packages/tombstone.js'

export type Publish =
  | { op: 'publish'; module: string; version: string }
  | { op: 'publish'; name: string; version: string; file: string }
/** A delete without `file` is of the whole version. */
export type Act =
  | Publish
  | { op: 'delete'; module: string; version: string }
  | { op: 'delete'; name: string; version: string; file?: string }

/** The path, below the data folder, that a publish makes. */
const pathOf = (act: Publish): string =>
  'module' in act
    ? versionFile({ owner: 'admin', module: act.module, version: act.version }, 'zip')
    : genericFile({ owner: 'admin', name: act.name, version: act.version }, act.file)

const module = <O extends Act['op']>(op: O, path: string, version: string) => ({ op, module: path, version })
const file = <O extends Act['op']>(op: O, version: string, name: string) => ({
  op,
  name: 'tool',
  version,
  file: name,
})

/**
 * The packages that exist before an act, then the act. `withRefresh`: the refresh of the owner's views that follows is
 * interrupted, too. It is the same after other steps. `immutable`: the owner is. `isRecorded`: it has a checksum
 * database.
 */
export type Step = {
  name: string
  before: Publish[]
  act: Act
  withRefresh?: true
  immutable?: true
  isRecorded?: true
}

/** A version that is another one in each run: a checksum database records each once. */
const NEW_VERSION = 'v1.1.0-ID'

/** The calls of such a step that others do not have: on files of the database, and on the claim before it. */
export const RECORDING = /\/sumdb\/|@v"?$|@v>/

/** The step as it is done once more. */
export const nextOf = (step: Step): Step =>
  'module' in step.act && step.act.version === NEW_VERSION
    ? { ...step, act: { ...step.act, version: NEW_VERSION.replace('ID', randomUUID()) } }
    : step

/** The first call of a refresh. */
export const isRefresh = ({ name, on }: { name: string; on: string }): boolean =>
  name === 'statx' && on === '"/tree/api/packages/admin"'

/** Every kind of publish and delete. */
const all: Step[] = [
  {
    name: "publish a module's first version",
    before: [],
    act: module('publish', 'example.com/Own/m', 'v1.0.0'),
  },
  {
    name: 'publish a second version',
    before: [module('publish', 'example.com/m', 'v1.0.0')],
    act: module('publish', 'example.com/m', 'v1.1.0'),
    withRefresh: true,
  },
  {
    name: 'delete one of two versions',
    before: [module('publish', 'example.com/m', 'v1.0.0'), module('publish', 'example.com/m', 'v1.1.0')],
    act: module('delete', 'example.com/m', 'v1.1.0'),
  },
  {
    name: 'delete the last version',
    before: [module('publish', 'example.com/Own/m', 'v1.0.0')],
    act: module('delete', 'example.com/Own/m', 'v1.0.0'),
  },
  { name: 'publish a file', before: [], act: file('publish', '1.0', 'a') },
  {
    name: 'delete one of two files',
    before: [file('publish', '1.0', 'a'), file('publish', '1.0', 'b')],
    act: file('delete', '1.0', 'b'),
  },
  {
    name: 'delete the last file',
    before: [file('publish', '1.0', 'a')],
    act: file('delete', '1.0', 'a'),
    withRefresh: true, // the views go
  },
  {
    name: 'delete a version with two files',
    before: [file('publish', '1.0', 'a'), file('publish', '1.0', 'b')],
    act: { op: 'delete', name: 'tool', version: '1.0' },
  },
  {
    name: 'delete a version of an immutable owner',
    before: [module('publish', 'example.com/m', 'v1.0.0')],
    act: module('delete', 'example.com/m', 'v1.0.0'),
    immutable: true,
  },
  {
    name: 'publish a version that is recorded',
    before: [module('publish', 'example.com/m', 'v1.0.0')],
    act: module('publish', 'example.com/m', NEW_VERSION),
    isRecorded: true,
  },
]

/** Those whose name holds PLINTH_TEST_STEP. */
export const steps = all.filter(({ name }) => name.includes(process.env['PLINTH_TEST_STEP'] ?? ''))

/** Makes the owner immutable, before anything runs on its data folder. */
export const makeImmutable = (data: string): void =>
  writeFileSync(join(data, ownerFile('admin')), ownerText({ name: 'admin', public: true, immutable: true }))

const tombstoneOf = (data: string, act: Publish): string => join(data, goneFile(pathOf(act)))

/** Takes the tombstones of a step away that an earlier run has left: its deletes write them anew. */
export function forgetTombstonesOf(data: string, step: Step): void {
  for (const act of step.before) rmSync(tombstoneOf(data, act), { force: true })
}

/** Which of these packages are gone without a whole tombstone, in words. */
export const withoutTombstone = (data: string, gone: readonly Publish[]): string[] =>
  gone
    .filter((act) => {
      const path = tombstoneOf(data, act)
      return !existsSync(path) || !parseTombstone(readFileSync(path, 'utf8'))
    })
    .map((act) => `${JSON.stringify(act)} is gone without a tombstone`)

/** The same for what a step of an immutable owner deletes, as far as it is gone. */
export const lostPromises = (data: string, step: Step): string[] =>
  step.immutable
    ? withoutTombstone(
        data,
        step.before.filter((act) => !isPublished(data, act)),
      )
    : []

/** All packages that may exist in the course of a step. */
const packagesOf = ({ before, act }: Step): Publish[] => (act.op === 'publish' ? [...before, act] : before)

/** Whether the package's file exists. */
export const isPublished = (data: string, act: Publish): boolean => existsSync(join(data, pathOf(act)))

/** The acts that lead from the current state back to the state before the step. */
export const wayBack = (data: string, step: Step): Act[] =>
  packagesOf(step).flatMap((act): Act[] => {
    const wanted = step.before.includes(act)
    if (isPublished(data, act) === wanted) return []
    return [wanted ? act : { ...act, op: 'delete' }]
  })

/** Whether `act` has been done, or has not; `undefined` for something between. */
export function outcome(data: string, step: Step): 'done' | 'not done' | undefined {
  const { act } = step
  const touched = act.op === 'publish' ? [act] : step.before.filter((other) => isPartOf(act, other))
  const there = touched.filter((other) => isPublished(data, other)).length
  if (there !== 0 && there !== touched.length) return undefined
  return there > 0 === (act.op === 'publish') ? 'done' : 'not done'
}

const isPartOf = (act: Act, other: Publish): boolean =>
  Object.entries(act).every(([name, value]) => name === 'op' || other[name as keyof Publish] === value)
