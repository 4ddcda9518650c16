// The time of publication: the mtime of the uploaded file, in whole seconds.
//
// nginx makes the ETag of mtime and size. Were a file deleted and published anew within one second, a client that
// revalidates would be told that its old bytes are the new ones; so the new file's time is at least a second later.

export type PublicationClock = ReturnType<typeof makePublicationClock>

/** `now` gives milliseconds since the epoch. */
export function makePublicationClock(now: () => number = Date.now) {
  const removedAt = new Map<string, number>() // path → second of the file that was there

  return {
    /** When the file that is about to be published at `path` is published. */
    publicationTime(path: string): Date {
      const second = Math.floor(now() / 1000)
      const before = removedAt.get(path)
      return new Date((before !== undefined && before >= second ? before + 1 : second) * 1000)
    },

    /** Remembers a deleted file for as long as its time could come again. */
    removed(path: string, mtime: Date): void {
      const second = Math.floor(now() / 1000)
      for (const [old, time] of removedAt) if (time < second) removedAt.delete(old)
      const time = Math.floor(mtime.getTime() / 1000)
      if (time >= second) removedAt.set(path, time)
    },
  }
}
