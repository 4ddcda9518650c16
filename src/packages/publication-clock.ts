// The time of publication: the mtime of the uploaded file, in whole seconds.
//
// nginx makes the ETag from mtime and size. Were a file deleted and published again within one second, a client that
// revalidates would be told that its old bytes are current. So the new file's time is at least a second later.

export class PublicationClock {
  /** Gives milliseconds since the epoch. */
  readonly #now: () => number
  /** path → the second of the file that was deleted there. */
  readonly #removedAt = new Map<string, number>()

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** The time for the file that is about to be published at `path`. */
  publicationTime(path: string): Date {
    const second = Math.floor(this.#now() / 1000)
    const before = this.#removedAt.get(path)
    return new Date((before !== undefined && before >= second ? before + 1 : second) * 1000)
  }

  /** Remembers a deleted file as long as its time could come again. */
  removed(path: string, mtime: Date): void {
    const second = Math.floor(this.#now() / 1000)
    for (const [old, time] of this.#removedAt) if (time < second) this.#removedAt.delete(old)
    const time = Math.floor(mtime.getTime() / 1000)
    if (time >= second) this.#removedAt.set(path, time)
  }
}
