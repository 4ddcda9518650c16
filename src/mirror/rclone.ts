// Runs rclone, which knows the services that have buckets. It gets lists of files and does what they say: what is
// copied and deleted, and in which order, is decided here. Its credentials and limits are in its own configuration and
// environment (RCLONE_…), which this program does not read.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { environment } from '../config.js'
import { errno } from '../errors.js'
import { headersOf, type HeaderKind } from './object-kind.js'

/** An object of the bucket. `path` is below the remote; `uploaded` is in ms, by the server's clock. */
export type RemoteObject = { path: string; size: number; uploaded: number; md5: string }

/** rclone's exit code when there is no such folder, which in a bucket means that it has no objects. */
const NO_FOLDER = 3
/** So much of what rclone says at the end is kept, in characters. */
const KEPT = 2000
/** How long rclone may take to end when it is told to. */
const END_MS = 5000

export class Rclone {
  /** As `r:bucket/api/packages`. */
  readonly remote: string
  readonly #signal: AbortSignal

  constructor(remote: string, signal: AbortSignal) {
    this.remote = remote
    this.#signal = signal
  }

  /** Yields the objects below a prefix of the remote, in no order; none when there is nothing. */
  async *objects(prefix: string): AsyncGenerator<RemoteObject> {
    const words =
      'lsjson --recursive --files-only --fast-list --no-mimetype --use-server-modtime --hash --hash-type MD5'
    const run = this.#run([...words.split(' '), this.#at(prefix)])
    if (!run.child.stdout) return
    for await (const line of createInterface({ input: run.child.stdout, crlfDelay: Infinity })) {
      const found = /^\{.*\}(?=,?$)/.exec(line)
      if (!found) continue
      const { Path, Size, ModTime, Hashes } = JSON.parse(found[0]) as {
        Path: string
        Size: number
        ModTime: string
        Hashes?: { md5?: string }
      }
      yield {
        path: prefix === '' ? Path : `${prefix}/${Path}`,
        size: Size,
        uploaded: Date.parse(ModTime),
        md5: Hashes?.md5 ?? '',
      }
    }
    await run.end(NO_FOLDER)
  }

  /** The first names below the remote. */
  async folders(): Promise<string[]> {
    const run = this.#run(['lsf', '--dirs-only', this.remote])
    const names: string[] = []
    if (run.child.stdout)
      for await (const line of createInterface({ input: run.child.stdout }))
        names.push(line.replace(/\/$/, ''))
    await run.end(NO_FOLDER)
    return names
  }

  /** Uploads the files that `list` names, one in a line, from below `folder`. Those that are gone are left out. */
  upload(folder: string, list: string, headers: HeaderKind): Promise<void> {
    const given = headersOf(headers).flatMap((header) => ['--header-upload', header])
    return this.#done([
      'copy',
      ...this.#listed(list),
      '--no-check-dest',
      '--copy-links',
      ...given,
      folder,
      this.remote,
    ])
  }

  /** Downloads the objects that `list` names into a folder. Absent ones are none. */
  fetch(list: string, folder: string): Promise<void> {
    return this.#done(['copy', ...this.#listed(list), '--no-check-dest', this.remote, folder])
  }

  /** Deletes the objects that `list` names. Absent ones are none. */
  remove(list: string): Promise<void> {
    return this.#done(['delete', ...this.#listed(list), this.remote])
  }

  // Each object of the list is asked for by its name: a folder of the bucket may have very many others.
  #listed = (list: string): string[] => ['--files-from-raw', list, '--no-traverse']

  #at(prefix: string): string {
    if (prefix === '') return this.remote
    return /[:/]$/.test(this.remote) ? this.remote + prefix : `${this.remote}/${prefix}`
  }

  async #done(words: string[]): Promise<void> {
    const run = this.#run(words)
    run.child.stdout?.resume()
    await run.end()
  }

  #run(words: string[]): { child: ChildProcess; end: (alsoFine?: number) => Promise<void> } {
    this.#signal.throwIfAborted()
    // What rclone prints of its progress goes to nobody. The token of a Plinth is nothing for rclone.
    const { PLINTH_TOKEN: _, ...env } = environment()
    const child = spawn('rclone', [...words, '--stats', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-KEPT)))
    const closed = endOf(child, this.#signal)
    closed.catch(() => {}) // who waits for the end hears of it
    const end = async (alsoFine = 0): Promise<void> => {
      const code = await closed
      this.#signal.throwIfAborted()
      if (code !== 0 && code !== alsoFine)
        throw new Error(`rclone ${words[0]} ended with ${String(code)}: ${lastWords(said)}`)
    }
    return { child, end }
  }
}

/** Resolves with the exit code when the process has ended, which `signal` tells it to. */
async function endOf(child: ChildProcess, signal: AbortSignal): Promise<number | null> {
  let kill: NodeJS.Timeout | undefined
  const stop = (): void => {
    child.kill('SIGTERM')
    kill = setTimeout(() => child.kill('SIGKILL'), END_MS)
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error
    throw new Error('there is no rclone in PATH: mirror-to needs it (apt-get install rclone)', {
      cause: error,
    })
  } finally {
    signal.removeEventListener('abort', stop)
    clearTimeout(kill)
  }
}

/** The errors among the lines, or the last of them. */
function lastWords(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/ NOTICE: Config file /.test(line))
  const errors = lines.filter((line) => / ERROR | CRITICAL |Failed to |^caused by: /.test(line))
  return (errors.length > 0 ? errors : lines).slice(-4).join('; ') || 'it said nothing'
}
