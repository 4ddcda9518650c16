// `plinth status`: whether reads and uploads are possible, for people; monitoring asks `/-/health` and `/-/ready`.

import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { LOCAL_USER } from '../audit/local-user.js'
import { healthOf, sideOf } from '../client/health.js'
import { readConfig, type Config } from '../config.js'
import { StartProblem } from '../errors.js'
import { isListening } from '../nginx/listen.js'
import { askService } from '../service/control.js'
import type { ServiceStatus } from '../service/service-status.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { holderOf } from '../store/lock.js'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print } from './print.js'
import { namesServer, remoteIn, WHERE_OPTIONS } from './where.js'

const OPTIONS = { ...WHERE_OPTIONS, json: { type: 'boolean', default: false } } as const

/** How long what passes requests on may take. */
const ANSWER_MS = 10_000

/** One side of the server: `reason` says why it is not possible. */
type Side = { ok: boolean; reason?: string; checks?: Checks }
type Checks = { name: string; ok: boolean; reason?: string }[]
type Status = { at: string; reads: Side; uploads: Side & Partial<Omit<ServiceStatus, 'ready' | 'checks'>> }

const sideLines = (name: string, { ok, reason, checks = [] }: Side): string[] => [
  `${name}: ${ok ? 'possible' : `not possible${reason === undefined ? '' : `: ${reason}`}`}`,
  ...checks.map((check) => `  ${check.name}: ${check.ok ? 'ok' : (check.reason ?? 'not ok')}`),
]

const MIB = 2 ** 20

function statusLines({ at, reads, uploads }: Status): string[] {
  const { pid, version, since, disk, databasesRefusing = [] } = uploads
  const mebibytes = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`
  return [
    at,
    ...sideLines('reads', reads),
    ...sideLines('uploads', uploads),
    ...(pid === undefined
      ? []
      : [`  service: ${version === undefined ? '' : `version ${version}, `}pid ${pid}, since ${since}`]),
    ...(disk ? [`  free: ${mebibytes(disk.free)}, of which ${mebibytes(disk.floor)} are kept free`] : []),
    ...databasesRefusing.map(({ owner, reason }) => `  publishes of ${owner} are refused: ${reason}`),
  ]
}

async function here(): Promise<Status> {
  const config = readConfig()
  const { data } = config
  try {
    process.chdir(data)
  } catch {
    throw new StartProblem(`there is no data folder at ${data}: set PLINTH_DATA, or name a server with --url`)
  }
  const listening = await isListening(config)
  const reads: Side = listening
    ? { ok: true }
    : {
        ok: false,
        reason: `nothing listens at ${config.listen.map(({ text }) => text).join(', ')} (PLINTH_LISTEN)`,
      }
  return { at: data, reads, uploads: await uploadsHere(config) }
}

async function uploadsHere({ data, runtime }: Config): Promise<Status['uploads']> {
  const answers = await askService<ServiceStatus & { done: true }>(runtime, 'status', {}, LOCAL_USER.by)
  if (!answers)
    return (
      (await throughThisMachine(runtime)) ?? {
        ok: false,
        reason: `the service does not answer (state/lock has: ${holderOf(data)})`,
      }
    )
  for await (const { ready, checks, pid, version, since, disk, databasesRefusing = [] } of answers)
    return { ok: ready, checks, pid, version, since, disk, databasesRefusing }
  throw new Error('the service did not say how it is')
}

/** What the active service says that this machine passes requests on to; `undefined` when it passes on nothing. */
async function throughThisMachine(runtime: string): Promise<Side | undefined> {
  const { socket: socketPath } = runtimeFiles(runtime)
  const asked = request({
    socketPath,
    path: '/-/ready',
    agent: false,
    signal: AbortSignal.timeout(ANSWER_MS),
  })
  asked.end()
  try {
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    return sideOf(answer.statusCode ?? 0, await text(answer))
  } catch {
    return undefined
  }
}

async function elsewhere(values: Parameters<typeof remoteIn>[0]): Promise<Status> {
  const remote = remoteIn(values)
  const { reads, uploads } = await healthOf(remote)
  return { at: remote.base, reads, uploads }
}

export const status: Command = {
  name: 'status',
  options: Object.keys(OPTIONS),
  anywhere: namesServer,
  usage: `  status [--url URL] [--json]            whether reads and uploads are possible, and what is wrong;
                                         exit code 1 if one of them is not`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    if (positionals.length > 0) throw new WrongUsage('status takes no words')
    const found = namesServer(words) ? await elsewhere(values) : await here()
    print(values.json ? jsonLines(found, 2) : statusLines(found))
    return found.reads.ok && found.uploads.ok ? 0 : 1
  },
}
