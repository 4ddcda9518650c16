// The Plinth to publish to, and the credentials. Pure.

import { quote } from '../errors.js'
import { getCommand, privateCommand } from '../gomod/get-command.js'
import { escapePath } from '../gomod/module-path.js'
import { netrcLogin } from './netrc.js'

/**
 * `authorization` is the header's value, a secret. `mayRead` says that every server accepts it for reading, too.
 * `isSaved`: it comes from an entry of .netrc for this server.
 */
type Login = { authorization: string; mayRead: boolean; isSaved?: true }

/** A Plinth elsewhere. `base` has no slash at its end. Without `login` it is asked as anybody. */
export type Remote = { base: string; login?: Login }

/** A Plinth to publish to. */
export type Server = { base: string; owner: string; authorization: string; mayRead: boolean }

/** The settings of the environment. `netrc` is the text of the file. */
export type ClientSettings = {
  url?: string | undefined
  owner?: string | undefined
  token?: string | undefined
  account?: string | undefined
  netrc: string
}

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/

/** Throws for a text that is not the address of a Plinth. */
export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new Error(`${quote(text)} is not the address of a Plinth, such as https://plinth.example.com`)
  // not quoted: it holds a secret
  if (url.username !== '' || url.password !== '')
    throw new Error('the address of the Plinth holds a password: leave it out, and set PLINTH_TOKEN')
  if (url.search !== '' || url.hash !== '' || url.pathname.includes('/api/packages'))
    throw new Error(
      `${quote(text)}: only the address of the Plinth itself is expected here, as https://plinth.example.com`,
    )
  return url
}

const baseOf = ({ href }: URL): string => href.replace(/\/+$/, '')

const basic = (login: string, password: string): string =>
  `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`

/** A token by itself: it says whose it is. */
export const tokenLogin = (token: string): Login => ({ authorization: `token ${token}`, mayRead: false })

function loginOf(url: URL, { token, account, netrc }: ClientSettings): Login | undefined {
  const secret = token?.trim() ?? '' // a secret that was read from a file often ends in a newline
  if (secret !== '' && !/^[\x21-\x7e]+$/.test(secret))
    throw new Error('PLINTH_TOKEN is not a token: only printable ASCII characters are expected')
  if (secret !== '' && account) return { authorization: basic(account, secret), mayRead: true }
  if (secret !== '') return tokenLogin(secret)
  const { host, port } = machineOf(url)
  const found = netrcLogin(netrc, host, port)
  if (!found) return undefined
  const { login, password, machine } = found
  return { authorization: basic(login, password), mayRead: true, ...(machine !== '' && { isSaved: true }) }
}

/** The host as .netrc has it, and the port. */
export const machineOf = (url: URL): { host: string; port: string; isUsualPort: boolean } => ({
  host: url.hostname.replace(/^\[|\]$/g, ''),
  port: url.port || (url.protocol === 'https:' ? '443' : '80'),
  isUsualPort: url.port === '',
})

function mustBeSafe(url: URL, allowHttp: boolean): void {
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowHttp)
    throw new Error(
      `the token would go to ${url.host} over plain http, for all on the way to read: use https, or say --allow-http`,
    )
}

/**
 * The credentials for who reads at `url`, if there are any. Throws when they would go over plain http to another
 * machine, unless `allowHttp`.
 */
export function readerLogin(url: URL, settings: ClientSettings, allowHttp: boolean): Login | undefined {
  const given = (settings.token?.trim() ?? '') !== ''
  const found = loginOf(url, settings)
  const login = given || found?.isSaved ? found : undefined // `default` is for servers that take anybody
  if (login) mustBeSafe(url, allowHttp)
  return login
}

/** Throws when a setting is missing or wrong; credentials may be missing. They are those of {@link readerLogin}. */
export function remoteOf(settings: ClientSettings, allowHttp: boolean): Remote {
  if (!settings.url) throw new Error('the address of the Plinth is missing: --url or PLINTH_URL')
  const url = parseUrl(settings.url)
  const login = readerLogin(url, settings, allowHttp)
  return { base: baseOf(url), ...(login && { login }) }
}

/** {@link remoteOf} for who publishes: owner and credentials must be there. */
export function serverOf(settings: ClientSettings, allowHttp: boolean): Server {
  const { url: text, owner } = settings
  if (!text) throw new Error('the address of the Plinth is missing: --url or PLINTH_URL')
  if (!owner) throw new Error('the owner is missing: --owner or PLINTH_OWNER')
  const url = parseUrl(text)
  mustBeSafe(url, allowHttp)
  const login = loginOf(url, settings)
  if (!login)
    throw new Error(`there is no token: set PLINTH_TOKEN, or write a line for ${url.hostname} into ~/.netrc`)
  const { authorization, mayRead } = login
  return { base: baseOf(url), owner, authorization, mayRead }
}

const registry = ({ base, owner }: Server): string => `${base}/api/packages/${encodeURIComponent(owner)}/go`

export const uploadUrl = (server: Server): string => `${registry(server)}/upload`

// ('example.com/M', 'v1.0.0', 'info') → …/go/example.com/!m/@v/v1.0.0.info
export const versionUrl = (
  server: Server,
  module: string,
  version: string,
  extension: 'info' | 'zip',
): string =>
  `${registry(server)}/${escapePath(module)}/@v/${encodeURIComponent(escapePath(version))}.${extension}`

/** The command that installs the version. Import prefixes of the server are not known here. */
export const getLine = (server: Server, module: string, version: string): string =>
  getCommand(module, version, registry(server), { url: server.base, owner: server.owner, prefixes: [] })

/** The same before there is a server, for a module that go finds by its path alone. */
export function privateGetLine(
  { url, owner }: Pick<ClientSettings, 'url' | 'owner'>,
  module: string,
  version: string,
): string | undefined {
  if (!url || !owner || !URL.canParse(url)) return undefined
  return privateCommand(module, version, { url: baseOf(new URL(url)), owner, prefixes: [] })
}
