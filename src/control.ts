// How `npx plinth` asks the running service: a socket of its own, in a folder that only the service's user may enter.
// nginx knows nothing of it, and nginx's own socket has no such route. Request: an Inspection as JSON; answer: its
// events, one JSON a line.

import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { unlink } from 'node:fs/promises'
import { errno, ignoring, messageOf } from './errors.js'
import { isOwnerName, controlSocketPath } from './layout.js'
import type { Log } from './log.js'
import { inspectTree, type Inspected, type Inspection } from './inspection/inspect.js'
import type { InspectionEvent } from './inspection/finding.js'

const MAX_REQUEST_BYTES = 65_536

async function parseInspection(req: IncomingMessage): Promise<Inspection> {
  let text = ''
  for await (const piece of req as AsyncIterable<Buffer>) {
    text += piece.toString()
    if (text.length > MAX_REQUEST_BYTES) throw new Error('the request is too long')
  }
  const { owner, module, mend } = JSON.parse(text) as Record<string, unknown>
  if (owner !== undefined && (typeof owner !== 'string' || !isOwnerName(owner))) throw new Error('no owner')
  if (module !== undefined && typeof module !== 'string') throw new Error('no module')
  return {
    mend: mend === true,
    ...(owner !== undefined && { owner }),
    ...(module !== undefined && { module }),
  }
}

async function answer(parts: Inspected, log: Log, req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const inspection = await parseInspection(req)
    log('info', 'inspection', { ...inspection })
    for await (const event of inspectTree(parts, inspection)) {
      if (res.destroyed) return // nobody listens any more
      if (!res.write(`${JSON.stringify(event)}\n`))
        await Promise.race([once(res, 'drain'), once(res, 'close')])
    }
    res.end()
  } catch (error) {
    log('error', 'inspection failed', { reason: messageOf(error) })
    res.end(`${JSON.stringify({ error: messageOf(error) })}\n`)
  }
}

/** Listens for commands. The process stands in the data folder. */
export async function listenForCommands(parts: Inspected, log: Log): Promise<Server> {
  await ignoring(['ENOENT'], () => unlink(controlSocketPath))
  const server = createServer((req, res) => void answer(parts, log, req, res))
  server.listen(controlSocketPath)
  await once(server, 'listening')
  return server
}

/** Asks the service of the data folder that the process stands in; `undefined` when none answers. */
export async function askService(
  inspection: Inspection,
): Promise<AsyncGenerator<InspectionEvent> | undefined> {
  const req = request({ socketPath: controlSocketPath, method: 'POST', path: '/' })
  req.end(JSON.stringify(inspection))
  try {
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    return events(res)
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ECONNREFUSED') return undefined
    throw error
  }
}

async function* events(res: IncomingMessage): AsyncGenerator<InspectionEvent> {
  res.on('error', () => {}) // what is missing then is the end
  let done = false
  for await (const line of createInterface({ input: res })) {
    const event = JSON.parse(line) as InspectionEvent | { error: string }
    if ('error' in event) throw new Error(event.error)
    done = 'done' in event && event.done
    yield event
  }
  if (!done) throw new Error('the service ended before the inspection did: run it again')
}
