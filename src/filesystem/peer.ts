// The other side of a probe, as a process: on this machine, or on another one by ssh or any other program. The two talk
// by its standard input and output, a line of JSON for each request and each answer. No port is opened, and nothing is
// told by the file system that is probed: it might hide what it is asked about.

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { SideAnswer, Request, Side } from './side.js'

/** What the other side says first. */
export type Hello = { plinth: 'probe'; version: string; host: string; pid: number; fileSystem: string }

/** How long a call of the file system may take at the other side. */
const ANSWER_WITHIN_MS = 60_000
/** What is kept of what the process says on standard error. */
const MOST_SAID = 2000
/** A line is far shorter: the longest has the names of a folder. */
const MOST_LINE = 16 * 2 ** 20

export class PeerSide implements Side {
  readonly #child: ChildProcess
  /** What waits for the next line; absent when nothing was asked. */
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined
  /** The end of what it said on standard error. */
  #said = ''
  /** Why it cannot be asked any more. */
  #over: Error | undefined

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stderr?.on(
      'data',
      (text: Buffer) => (this.#said = (this.#said + text.toString()).slice(-MOST_SAID)),
    )
    child.stdin?.on('error', () => {}) // its end is told below
    child.once('error', (error) => this.#fail(error.message))
    child.once('close', (code, signal) =>
      this.#fail(`it ended with ${signal ?? `exit code ${String(code)}`}`),
    )
    if (!child.stdout) return
    createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
      if (line.length > MOST_LINE) return this.#fail('its answer is too long')
      this.#waiting?.resolve(line)
      this.#waiting = undefined
    })
  }

  /** Starts the program with these words and hears its first line. Rejects with what it said when it does not come. */
  static async start(
    [program = '', ...words]: readonly string[],
    signal: AbortSignal,
  ): Promise<[PeerSide, Hello]> {
    // a group of its own: Ctrl-C is for the probe, which then ends its peer
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    const peer = new PeerSide(child)
    signal.addEventListener('abort', () => child.stdin?.end(), { once: true })
    const line = await peer.#nextLine()
    const hello = parse(line) as Partial<Hello> | undefined
    if (hello?.plinth !== 'probe') {
      peer.#child.kill()
      throw new Error(
        `the other side is no "plinth probe DIR --answer": it said ${JSON.stringify(line.slice(0, 200))}`,
      )
    }
    return [peer, { plinth: 'probe', version: '', host: '', pid: 0, fileSystem: '', ...hello }]
  }

  async ask(request: Request | { do: 'open'; folder: string }): Promise<SideAnswer> {
    const line = this.#nextLine()
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
    const answer = parse(await line) as (SideAnswer & { error?: string }) | undefined
    if (!answer) throw new Error('the other side gave an answer that is no JSON')
    if (answer.error !== undefined) throw new Error(`the other side: ${answer.error}`)
    return answer
  }

  /** Lets it end, and waits for that a little. */
  async end(): Promise<void> {
    this.#child.stdin?.end()
    if (this.#over) return
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
    await new Promise<void>((resolve) => this.#child.once('close', () => resolve()))
    clearTimeout(timer)
  }

  #nextLine(): Promise<string> {
    if (this.#over) return Promise.reject(this.#over)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#fail(`it did not answer within ${ANSWER_WITHIN_MS / 1000} s`),
        ANSWER_WITHIN_MS,
      )
      const done = (): void => clearTimeout(timer)
      this.#waiting = {
        resolve: (line) => (done(), resolve(line)),
        reject: (error) => (done(), reject(error)),
      }
    })
  }

  #fail(why: string): void {
    const said = this.#said.trim()
    this.#over ??= new Error(
      `the other side cannot be asked: ${why}${said === '' ? '' : `; it said: ${said}`}`,
    )
    this.#waiting?.reject(this.#over)
    this.#waiting = undefined
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
