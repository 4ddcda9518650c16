// Which paths may be named in nginx's configuration, and on its command line. Pure.

const MAX_PATH_BYTES = 1000

/** The rule that an absolute path breaks; `undefined` for a good one. */
export function pathProblem(path: string): string | undefined {
  if (/["'$;{}\\\p{Cc}]/u.test(path)) return 'no quotes, $ ; { } \\ or control characters'
  return Buffer.byteLength(path) > MAX_PATH_BYTES ? `at most ${MAX_PATH_BYTES} bytes` : undefined
}
