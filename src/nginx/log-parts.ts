// What nginx logs by the settings, and which answers have an id. Pure.

import type { Config } from '../config.js'
import { pathIn, runtimeFiles } from '../settings/runtime-files.js'

// Who reads a file that nginx sends by itself needs no id, unless a log has it. Where a range cannot be sent, the
// answer has the headers of the file already.
/** Maps for the id of an answer that the service took no part in. */
export const idPart = ({ accessLog }: Config): string =>
  accessLog === undefined
    ? `map $status $lone_id {
    default $request_id;
    200     "";
    206     "";
    301     "";
    302     "";
    304     "";
}
map $status $range_id {
    default $request_id;
}
`
    : `map $status $lone_id {
    default $request_id;
}
map $status $range_id {
    default "";
}
`

/** The file of the access log, absolute; `undefined` when there is none. */
export const accessLogOf = ({
  data,
  runtime,
  accessLog,
}: Pick<Config, 'data' | 'runtime' | 'accessLog'>): string | undefined =>
  accessLog === 'own' ? pathIn(data, runtimeFiles(runtime).accessLog) : accessLog

// Lines of several requests are written at once.
const accessLine = (path: string): string => `access_log "${path}" access buffer=32k flush=1s;\n`

/** Where all requests are logged. */
export function accessLogPart(config: Config): string {
  const path = accessLogOf(config)
  return path === undefined ? 'access_log off;\n' : accessLine(path)
}

/**
 * Where refused credentials are logged: in `file`, absolute. The location that does it has no other log: so that of all
 * requests is named again.
 */
export function refusedLogPart(config: Config, file: string): string {
  const path = accessLogOf(config)
  const refused = `access_log "${file}" refusal if=$http_authorization;\n`
  return path === undefined ? refused : refused + accessLine(path)
}
