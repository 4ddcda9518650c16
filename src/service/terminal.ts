// What `npm start` prints.

import { FIRST_NAME } from '../access/first-run.js'
import { firstUrl, urlOfAddress } from '../addresses/listen-address.js'
import type { Config } from '../config.js'
import { visible } from '../errors.js'
import type { Log } from '../log.js'

export const say = (text: string): void => void process.stdout.write(`plinth: ${visible(text)}\n`)
export const complain = (text: string): void => void process.stderr.write(`plinth: ${visible(text)}\n`)
export const warn = (text: string | undefined): void => {
  if (text !== undefined) complain(`warning: ${text}`)
}

/** The events of {@link lockDataFolder}, in words. */
export const terminalLog: Log = (level, event, { holder } = {}) => {
  if (level !== 'info') return warn(event)
  say(holder === undefined ? event : `${event}: another plinth is running on this data folder (${holder})`)
}

const schemeOf = ({ tls }: Config): string => (tls ? 'https' : 'http')

const urlOf = (config: Config): string => config.publicUrl ?? firstUrl(config.listen, schemeOf(config))

/** Where clients find what is served, and where nginx listens when that is another address. */
export const servedAt = (config: Config): string =>
  config.publicUrl === undefined
    ? config.listen.map((address) => urlOfAddress(address, schemeOf(config)) ?? address.text).join(', ')
    : `${config.publicUrl} (nginx listens on ${config.listen.map(({ text }) => text).join(', ')})`

/** Tells why everything ends. */
export function tellEnding({ code, reason }: { code: number; reason: string }): void {
  if (code === 0) say(reason)
  else complain(reason)
}

/**
 * Tells what can be done with the first run's token, and shows it when it was generated. One that was given is known
 * to whoever gave it, and this output often ends in a log.
 */
export function tellFirstRun(token: string, config: Config): void {
  const url = `${urlOf(config)}/api/packages/${FIRST_NAME}`
  const given = config.adminToken !== undefined
  const user = given ? `"${FIRST_NAME}:$PLINTH_ADMIN_TOKEN"` : `${FIRST_NAME}:${token}`
  const shown = given
    ? [
        'Its token is the one in',
        'PLINTH_ADMIN_TOKEN, which is read this once: the next start does not need it.',
      ]
    : ['Its token, shown this once:', '', `  ${token}`]
  const lines = [
    `This is the first run. Account "${FIRST_NAME}" may publish and delete everywhere. ${shown.join('\n')}`,
    '',
    'Publish a module, publish a file, install:',
    '',
    `  curl --user ${user} --upload-file m.zip ${url}/go/upload`,
    `  curl --user ${user} --upload-file tool.tar.gz ${url}/generic/tool/1.0.0/tool.tar.gz`,
    `  GOPROXY=${url}/go GONOSUMDB=example.com/m go get example.com/m@latest`,
    '',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
