// Builds and asks the program in test/support/auditor: what go's own packages say of a checksum database. It also makes
// databases for tests.

import { execFile, execFileSync } from 'node:child_process'
import { buildGoProgram } from './go-program.js'

let program: string | undefined

/** Compiles the auditor, once for each process. Returns the program's path. */
export const buildAuditor = (): string => (program ??= buildGoProgram('auditor'))

/** `db` is the folder or URL `…/go/sumdb/{name}`. An account is in the URL: `http://alice:TOKEN@127.0.0.1:8080/…`. */
type Audited = {
  key: string
  db: string
  /** The folder go/ of the owner: each version that can be seen there is compared with its record. */
  tree?: string
  /** The folder with the files records and heads: each partial tile that a head names is asked for. */
  state?: string
  /** The file that remembers the last head. It is written when nothing is wrong. */
  memory?: string
  /** The database grows meanwhile. */
  moving?: boolean
  /** There is to be no file `supported`. */
  disabled?: boolean
  /** How many records each of the four kinds of clients looks up at most. 0 is none. */
  clients?: number
  /** More of its environment, `SSL_CERT_FILE` say. */
  env?: Record<string, string>
}

/** `problems` begin with the path of what is wrong, below the database or the tree. `heads` is how many were seen. */
type Audit = {
  ok: boolean
  problems: string[]
  size: number
  root: string
  heads: number
  versions: number
  lookups: number
}

/** Reads and proves a checksum database. Throws when nothing can be said of it. */
export const audit = ({ env, ...options }: Audited): Promise<Audit> =>
  new Promise((resolve, reject) => {
    const words = Object.entries(options).map(([name, value]) => `-${name}=${String(value)}`)
    const settings = { maxBuffer: 2 ** 28, env: { ...process.env, ...env } }
    execFile(buildAuditor(), ['audit', '-json', ...words], settings, (error, stdout, stderr) => {
      if (error && error.code !== 1) return reject(new Error(`the auditor: ${stderr || error.message}`))
      const found = JSON.parse(stdout) as Omit<Audit, 'ok'>
      return resolve({ ...found, ok: found.problems.length === 0 })
    })
  })

/** `batch` records have one head. With `zips` the versions are there, too. `twice` records the first one again. */
type Generated = {
  out: string
  size: number
  state?: string
  batch?: number
  zips?: boolean
  twice?: boolean
  seed?: string
}

/** Makes a checksum database as files in the folder `out`, which stands for the folder go/ of an owner. */
export const generate = (
  options: Generated,
): { key: string; secret: string; db: string; state: string; size: number; root: string } =>
  JSON.parse(
    execFileSync(
      buildAuditor(),
      ['generate', ...Object.entries(options).map(([name, value]) => `-${name}=${String(value)}`)],
      { encoding: 'utf8' },
    ),
  ) as ReturnType<typeof generate>

/** A head that is signed by the key of a database, whatever its log has. */
export const signAnyHead = (secret: string, size: number, root: string): string =>
  execFileSync(buildAuditor(), ['sign', `-secret=${secret}`, `-size=${size}`, `-root=${root}`], {
    encoding: 'utf8',
  })
