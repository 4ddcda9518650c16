// What `npm start` prints.

import { FIRST_NAME } from '../access/first-run.js'
import type { Config } from '../config.js'
import type { Log } from '../log.js'

export const say = (text: string): void => void process.stdout.write(`plinth: ${text}\n`)
export const complain = (text: string): void => void process.stderr.write(`plinth: ${text}\n`)
export const warn = (text: string | undefined): void => {
  if (text !== undefined) complain(`warning: ${text}`)
}

/** The events of {@link lockDataFolder}, in words. */
export const terminalLog: Log = (level, event, { holder } = {}) => {
  if (level !== 'info') return warn(event)
  say(holder === undefined ? event : `${event}: another plinth is running on this data folder (${holder})`)
}

// listen '*:8080' → http://localhost:8080
export const urlOf = ({ listen, tls }: Config): string =>
  `${tls ? 'https' : 'http'}://${listen.replace(/^(\*|0\.0\.0\.0|\[::\]):/, 'localhost:')}`

/** Shows the first run's token, and what can be done with it. */
export function tellFirstRun(token: string, config: Config): void {
  const url = `${urlOf(config)}/api/packages/${FIRST_NAME}`
  const lines = [
    `This is the first run. Account "${FIRST_NAME}" may publish and delete everywhere. Its token, shown this once:`,
    '',
    `  ${token}`,
    '',
    'Publish a module, publish a file, install:',
    '',
    `  curl --user ${FIRST_NAME}:${token} --upload-file m.zip ${url}/go/upload`,
    `  curl --user ${FIRST_NAME}:${token} --upload-file tool.tar.gz ${url}/generic/tool/1.0.0/tool.tar.gz`,
    `  GOPROXY=${url}/go GONOSUMDB=example.com/m go get example.com/m@latest`,
    '',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
