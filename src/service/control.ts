// How `npx plinth` asks the running service: a socket of its own, in a folder that only the service's user may enter.
// nginx knows nothing of it, and nginx's own socket has no such routes. The path names the command, the request is JSON;
// the answer is the command's events, one JSON a line, the last of them with `done`.

import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { unlink } from 'node:fs/promises'
import { errno, ignoring, messageOf } from '../errors.js'
import { controlSocketPath } from '../layout.js'
import type { Log } from '../log.js'

const MAX_REQUEST_BYTES = 65_536

/** Runs a command; `signal` fires when nobody listens any more, and when the service stops. Throws for a bad request. */
export type Handler = (request: unknown, signal: AbortSignal) => AsyncGenerator<object>

async function parse(req: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const piece of req as AsyncIterable<Buffer>) {
    text += piece.toString()
    if (text.length > MAX_REQUEST_BYTES) throw new Error('the request is too long')
  }
  return JSON.parse(text)
}

/** Listens for commands: `handlers` by their names. The process stands in the data folder. */
export async function listenForCommands(handlers: Record<string, Handler>, log: Log) {
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const name = (req.url ?? '').slice(1)
    const over = new AbortController()
    res.once('close', () => over.abort())
    try {
      const asked = await parse(req)
      const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined
      if (!handler) throw new Error(`the running service has no command ${JSON.stringify(name)}`)
      log('info', name, { ...(asked as Record<string, string>) })
      for await (const event of handler(asked, AbortSignal.any([stopping.signal, over.signal]))) {
        if (res.destroyed) return // nobody listens any more
        stopping.signal.throwIfAborted()
        if (!res.write(`${JSON.stringify(event)}\n`))
          await Promise.race([once(res, 'drain'), once(res, 'close')])
      }
      res.end()
    } catch (error) {
      const reason = stopping.signal.aborted ? 'the service was stopped: run it again' : messageOf(error)
      if (!over.signal.aborted) log('error', `${name} failed`, { reason })
      res.end(`${JSON.stringify({ error: reason })}\n`)
    }
  }

  await ignoring(['ENOENT'], () => unlink(controlSocketPath))
  const server = createServer((req, res) => {
    const answering = answer(req, res).finally(() => running.delete(answering))
    running.add(answering)
  })
  server.listen(controlSocketPath)
  await once(server, 'listening')
  return {
    /** Takes no more, ends what can be run again, and waits for that. */
    stop: async (): Promise<void> => {
      server.close()
      stopping.abort()
      await Promise.allSettled(running)
      server.closeAllConnections()
    },
    /** For what does not end: nobody is answered any more. */
    cutOff: (): void => server.closeAllConnections(),
  }
}

/** Asks the service of the data folder that the process stands in; `undefined` when none answers. */
export async function askService<Event extends object>(
  name: string,
  asked: object,
): Promise<AsyncGenerator<Event> | undefined> {
  const req = request({ socketPath: controlSocketPath, method: 'POST', path: `/${name}` })
  req.end(JSON.stringify(asked))
  try {
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    return events<Event>(res, name)
  } catch (error) {
    // ECONNRESET: it was about to stop, or died, before it said anything
    if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(errno(error) ?? '')) return undefined
    throw error
  }
}

async function* events<Event extends object>(res: IncomingMessage, name: string): AsyncGenerator<Event> {
  res.on('error', () => {}) // what is missing then is the end
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
