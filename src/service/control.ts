// How `plinth` asks the running service for a job: over a socket of its own, in a folder that only the service's
// user may enter. nginx does not know it, and nginx's own socket has no such routes. The path names the job. The body
// is the request as JSON. The answer is the job's events, one JSON a line, the last of them with `done`.

import { once } from 'node:events'
import { mkdir, unlink } from 'node:fs/promises'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import type { AuditedBy } from '../audit/audit-log.js'
import { errno, ignoring, messageOf, quote, visible } from '../errors.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import type { Log } from '../log.js'
import { audited } from './audited.js'
import { isJobName, JOBS, type JobName } from './jobs.js'
import type { Parts } from './parts.js'

const MAX_REQUEST_BYTES = 65_536
/** Says for the audit log who runs the command: whoever may enter the socket's folder is believed. */
const BY_HEADER = 'x-plinth-by'

// Names are in it. Nothing in them may end the line.
const lineOf = (event: object): string => `${visible(JSON.stringify(event))}\n`

async function readJson(req: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const piece of req as AsyncIterable<Buffer>) {
    text += piece.toString()
    if (text.length > MAX_REQUEST_BYTES) throw new Error('the request is too long')
  }
  return JSON.parse(text)
}

/** The service's end of the socket. */
export class CommandSocket {
  readonly #parts: Parts
  readonly #log: Log
  readonly #server: Server
  /** Aborted when the service stops: the jobs end then. */
  readonly #stopping = new AbortController()
  /** The jobs that are running. */
  readonly #running = new Set<Promise<void>>()

  constructor(parts: Parts, log: Log) {
    this.#parts = parts
    this.#log = log
    this.#server = createServer((req, res) => {
      const answering = this.#answer(req, res).finally(() => this.#running.delete(answering))
      this.#running.add(answering)
    })
    // Without a listener, an error that comes at a moment when nobody waits for it would end the process.
    this.#server.on('error', (error) => log('error', 'commands', { reason: error.message }))
  }

  /** Takes jobs from now on. The data folder is the working directory. */
  async listen(): Promise<void> {
    const { control, controlSocket } = runtimeFiles(this.#parts.config.runtime)
    await mkdir(control, { recursive: true, mode: 0o700 })
    await ignoring(['ENOENT'], () => unlink(controlSocket))
    this.#server.listen(controlSocket)
    await once(this.#server, 'listening')
  }

  /** Takes no more jobs, ends the running ones (each can be run again), and waits for them. */
  async stop(): Promise<void> {
    this.#server.close()
    this.#stopping.abort()
    await Promise.allSettled(this.#running)
    this.#server.closeAllConnections()
  }

  /** Answers nobody any more: for a job that does not end. */
  cutOff(): void {
    this.#server.closeAllConnections()
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const name = (req.url ?? '').slice(1)
    const left = new AbortController()
    for (const end of [req, res]) end.on('error', () => {})
    res.once('close', () => left.abort())
    try {
      const asked = await readJson(req)
      if (!isJobName(name)) throw new Error(`the running service has no command ${quote(name)}`)
      if (!JOBS[name].isQuiet) this.#log('info', name, { ...(asked as Record<string, string>) })
      const signal = AbortSignal.any([this.#stopping.signal, left.signal])
      const by = { by: String(req.headers[BY_HEADER] ?? 'local user') }
      for await (const event of this.#run(name, asked, signal, by)) {
        if (res.destroyed) return // the command has gone away
        this.#stopping.signal.throwIfAborted()
        if (!res.write(lineOf(event))) await Promise.race([once(res, 'drain'), once(res, 'close')])
      }
      res.end()
    } catch (error) {
      const reason = this.#stopping.signal.aborted
        ? 'the service was stopped: run it again'
        : messageOf(error)
      if (!left.signal.aborted) this.#log('error', `${name} failed`, { reason })
      res.end(lineOf({ error: reason }))
    }
  }

  #run<Name extends JobName>(
    name: Name,
    asked: unknown,
    signal: AbortSignal,
    by: AuditedBy,
  ): AsyncGenerator<object> {
    const job = JOBS[name]
    const request = job.parse(asked)
    const events = job.run(this.#parts, request, { signal, noService: false })
    return audited(this.#parts.audit, name, request, by, events)
  }
}

/**
 * Asks the service of this machine whose files are in `runtime`, for `by`; `undefined` when none answers. The data
 * folder is the working directory.
 */
export async function askService<Event extends object>(
  runtime: string,
  name: string,
  asked: object,
  by: string,
): Promise<AsyncGenerator<Event> | undefined> {
  const headers = { [BY_HEADER]: by }
  const req = request({
    socketPath: runtimeFiles(runtime).controlSocket,
    method: 'POST',
    path: `/${name}`,
    headers,
  })
  req.end(JSON.stringify(asked))
  try {
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    return events<Event>(res, name)
  } catch (error) {
    // ECONNRESET: the service was about to stop, or died, before it said anything.
    if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(errno(error) ?? '')) return undefined
    throw error
  }
}

async function* events<Event extends object>(res: IncomingMessage, name: string): AsyncGenerator<Event> {
  res.on('error', () => {}) // the answer then ends without `done`
  let done = false
  try {
    for await (const line of createInterface({ input: res })) {
      const event = JSON.parse(line) as Event | { error: string }
      if ('error' in event) throw new Error(event.error)
      done = 'done' in event && event.done === true
      yield event
    }
  } finally {
    res.destroy()
  }
  if (!done) throw new Error(`the service ended before the ${name} did: run it again`)
}
