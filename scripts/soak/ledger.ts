// What the service has acknowledged: a write that it answered counts for ever.

/** The path of a file, and its bytes. */
type Kept = Map<string, Buffer>

/** Paths of deleted files that are remembered, the last ones. */
const MOST_GONE = 20_000

export class Ledger {
  /** Files whose upload was answered with 201. */
  readonly there: Kept = new Map()
  /** Files whose delete was answered with 204. */
  readonly gone = new Set<string>()

  uploaded(path: string, bytes: Buffer): void {
    this.gone.delete(path)
    this.there.set(path, bytes)
  }

  deleted(path: string): void {
    this.there.delete(path)
    this.gone.add(path)
    const [oldest] = this.gone
    if (oldest !== undefined && this.gone.size > MOST_GONE) this.gone.delete(oldest)
  }

  /** A write whose answer does not tell what it did: nothing is known of the file. */
  doubtful(path: string): void {
    this.there.delete(path)
    this.gone.delete(path)
  }

  /** What is not as it was acknowledged. `read` gives the bytes of a file, `undefined` when there is none. */
  async problems(read: (path: string) => Promise<Buffer | undefined>): Promise<string[]> {
    const lost: string[] = []
    for (const [path, bytes] of this.there) {
      const found = await read(path)
      if (!found) lost.push(`${path} was acknowledged and is not there`)
      else if (!found.equals(bytes)) lost.push(`${path} has other bytes than those that were acknowledged`)
    }
    for (const path of this.gone) if (await read(path)) lost.push(`${path} was deleted and is there`)
    return lost
  }
}
