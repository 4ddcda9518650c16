// What is wrong with the files of a log.

/** The truth of a log is not what was written. */
export class DamagedLog extends Error {
  override readonly name = 'DamagedLog'
}
