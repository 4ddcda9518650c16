// Where a command works: on a server elsewhere, when `--url` or PLINTH_URL names one, else on the data folder here.

import { existsSync } from 'node:fs'
import type { Remote } from '../client/server.js'
import { remoteOf } from '../client/server.js'
import { clientSettings, publishingTo } from '../client/settings.js'
import { readConfig, type Config } from '../config.js'
import { StartProblem } from '../errors.js'
import { becomeOwner } from '../store/become-owner.js'
import { Store } from '../store/store.js'
import { printError } from './print.js'

/** The options of a command that works at either place. */
export const WHERE_OPTIONS = {
  url: { type: 'string' },
  'allow-http': { type: 'boolean' },
} as const

type WhereValues = { url?: string | undefined; 'allow-http'?: boolean | undefined }

/** A data folder on this machine. */
type Here = { config: Config; store: Store }

export type Where = { remote: Remote } | Here

/** Whether the words of a command, or the environment, name a server. */
export const namesServer = (words: readonly string[]): boolean =>
  words.some((word) => word === '--url' || word.startsWith('--url=')) || Boolean(publishingTo().url)

/** The server that is named, with the credentials for it. */
export const remoteIn = ({ url, 'allow-http': allowHttp = false }: WhereValues): Remote =>
  remoteOf({ ...clientSettings(), ...(url !== undefined && { url }) }, allowHttp)

/**
 * `mayBeNew`: the command makes a data folder that is not there. Throws when there is none otherwise. An empty `--url`
 * is a mistake, and not the data folder. Root becomes the user of the data folder.
 */
export function whereOf(values: WhereValues, { mayBeNew = false } = {}): Where {
  if (values.url !== undefined || publishingTo().url) return { remote: remoteIn(values) }
  const config = readConfig()
  becomeOwner(config.data)
  if (!mayBeNew && !existsSync(config.data))
    throw new StartProblem(
      `there is no data folder at ${config.data}: set PLINTH_DATA, or name a server with --url`,
    )
  return { config, store: new Store(config.data) }
}

/** Says on standard error where something is done: a forgotten PLINTH_URL must not go unseen. */
export const sayWhere = (where: Where): void =>
  printError('remote' in where ? `plinth: at ${where.remote.base}` : `plinth: in ${where.config.data}`)
