// What differs between an owner's folder and the bucket. Both can have millions of files, so both lists are on the
// disk, sorted by sort(1), and are read side by side as often as a step needs them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { environment } from '../config.js'
import type { LocalFile } from './public-folder.js'
import { kindOf, type ObjectKind } from './object-kind.js'
import type { RemoteObject } from './rclone.js'
import type { WorkFolder } from './work-folder.js'

/** A line of a list. `time` is in ms: when a file was changed, or when an object was uploaded. */
type Line = { path: string; size: number; time: number; md5: string }

/** What is to be done with a path. `size`, `time` and `md5` are those of the file, and 0 and empty without one. */
export type Difference = Line & { do: 'upload' | 'remove'; kind: ObjectKind | undefined }

/** Clocks and file systems may not have more than whole seconds. */
const TIME_MARGIN_MS = 1000

const textOf = ({ path, size, time, md5 }: Line): string => `${path}\t${size}\t${time}\t${md5}\n`

function lineOf(text: string): Line {
  const [path = '', size, time, md5 = ''] = text.split('\t')
  return { path, size: Number(size), time: Number(time), md5 }
}

/**
 * A file is another one than the object when the sizes differ, and when it was changed after the upload. Files that
 * name others are compared by their content: two of them within a second may have the same size.
 */
const isUploaded = (file: Line, object: Line): boolean =>
  file.size === object.size &&
  (file.md5 === '' ? file.time <= object.time + TIME_MARGIN_MS : file.md5 === object.md5)

export class Comparison {
  readonly #local: string
  readonly #remote: string
  /** How many there are. */
  readonly files: number
  readonly objects: number

  private constructor(local: SortedList, remote: SortedList) {
    this.#local = local.path
    this.#remote = remote.path
    this.files = local.lines
    this.objects = remote.lines
  }

  /** Lists the objects, then the files. */
  static async make(
    work: WorkFolder,
    objects: AsyncIterable<RemoteObject>,
    files: () => AsyncIterable<LocalFile>,
    signal: AbortSignal,
  ): Promise<Comparison> {
    const remote = await sorted(
      work,
      map(objects, ({ uploaded: time, ...rest }) => ({ ...rest, time })),
      signal,
    )
    const local = await sorted(work, files(), signal)
    return new Comparison(local, remote)
  }

  /** Yields what differs, in the order of the paths. */
  async *differences(): AsyncGenerator<Difference> {
    const local = await open(this.#local)
    const remote = await open(this.#remote)
    try {
      const files = local.readLines()[Symbol.asyncIterator]()
      const objects = remote.readLines()[Symbol.asyncIterator]()
      const next = async (from: AsyncIterator<string>): Promise<Line | undefined> => {
        const { done, value } = await from.next()
        return done ? undefined : lineOf(value)
      }
      let [file, object] = [await next(files), await next(objects)]
      while (file || object) {
        const order = !file
          ? 1
          : !object
            ? -1
            : Buffer.compare(Buffer.from(file.path), Buffer.from(object.path))
        if (file && order <= 0 && (order < 0 || (object && !isUploaded(file, object))))
          yield { ...file, do: 'upload', kind: kindOf(file.path) }
        if (object && order > 0)
          yield { path: object.path, size: 0, time: 0, md5: '', do: 'remove', kind: kindOf(object.path) }
        if (order <= 0) file = await next(files)
        if (order >= 0) object = await next(objects)
      }
    } finally {
      await Promise.all([local.close(), remote.close()])
    }
  }
}

type SortedList = { path: string; lines: number }

async function* map<A, B>(from: AsyncIterable<A>, change: (a: A) => B): AsyncGenerator<B> {
  for await (const each of from) yield change(each)
}

async function sorted(work: WorkFolder, from: AsyncIterable<Line>, signal: AbortSignal): Promise<SortedList> {
  const [unsorted, path] = [work.temp(), work.temp()]
  let lines = 0
  async function* texts(): AsyncGenerator<string> {
    for await (const line of from) {
      if (/\p{Cc}/u.test(line.path)) continue
      lines++
      yield textOf(line)
    }
  }
  await pipeline(Readable.from(texts()), createWriteStream(unsorted, { mode: 0o600 }), { signal })
  // A control character, the tab, comes before every character of a path: lines have the order of their paths.
  const child = spawn('sort', ['-o', path, unsorted], {
    env: { ...environment(), LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  })
  let said = ''
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-500)))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`sort ended with ${String(code)}: ${said.trim()}`)
  await work.drop(unsorted)
  return { path, lines }
}
