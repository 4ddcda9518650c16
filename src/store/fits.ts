// What a file system can hold of a path. Pure.

/** The bytes of one name on common file systems (NAME_MAX). */
export const MAX_NAME_BYTES = 255
/** The bytes of a path below the data folder: PATH_MAX is 4,096 and includes the data folder's own path. */
const MAX_PATH_BYTES = 3000

/** Why the file system could not hold `path`, or `undefined` when it can. `what` names the path in the message. */
export function checkFits(path: string, what: string): string | undefined {
  const tooLong = path.split('/').find((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)
  if (tooLong !== undefined)
    return `${what} is too long: "${tooLong.slice(0, 40)}…" has over ${MAX_NAME_BYTES} bytes`
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    return `${what} is too long: its path has over ${MAX_PATH_BYTES} bytes`
  return undefined
}
