// Operations in flight, each a small file. What a crash leaves half done is known from here, without walking the tree.

import { randomUUID } from 'node:crypto'
import { messageOf, Unsettled } from '../errors.js'
import { folders } from '../layout.js'
import type { Log } from '../log.js'
import { isWhole, parseOperation, queueKey, type Operation } from './operation.js'
import type { Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'

/** One operation. `prepare` runs while the entry is written; `action` gets what it made, and the entry's path. */
export type Work<T> = {
  entry: Operation
  prepare: () => Promise<T>
  action: (prepared: T, record: string) => Promise<void>
  /**
   * Puts things back when one of the two failed; `begun` says that it was `action`. A delete that has begun is not put
   * back but finished.
   */
  undo: (begun: boolean) => Promise<void>
  /** What is to be settled when that failed too. */
  left: () => Operation
}

export type Settle = (entry: Operation) => Promise<void>
export type Journal = ReturnType<typeof openJournal>

const fieldsOf = ({ op, ...at }: Operation) => ({ op, key: queueKey(at), version: at.version })

export function openJournal(store: Store, log: Log) {
  const newFile = (): string => `${folders.journal}/${randomUUID()}.json`
  const unsettled = new Map<string, Map<string, Operation>>() // key → file → what is to be done

  function keep(path: string, entry: Operation): void {
    const key = queueKey(entry)
    unsettled.set(key, (unsettled.get(key) ?? new Map<string, Operation>()).set(path, entry))
  }

  /** Puts another entry in the place of one that is there. */
  async function replace(path: string, entry: Operation): Promise<void> {
    await store.write(path, JSON.stringify(entry), { secret: true })
    await store.sync(folders.journal)
  }

  /**
   * Runs `work` with its entry on the disk. When it fails it is undone, and the error is thrown; when that fails too,
   * or it is a delete that has begun, an {@link Unsettled}, and the entry stays for {@link repair}, or {@link settleAll}
   * at the next start: a sync that failed once may succeed the second time although the disk has nothing.
   *
   * Removing the entry is not synced: an entry that a power cut brings back is settled once more, which changes
   * nothing, unless the same version was changed since. Such a change wrote an entry of its own and synced the
   * folder, and with it this removal.
   */
  async function during<T>({ entry, prepare, action, undo, left }: Work<T>): Promise<void> {
    const path = newFile()
    const entered = store.record(path, JSON.stringify(entry))
    let begun = false
    try {
      const [prepared] = await waitForAll([prepare(), entered])
      begun = true
      await action(prepared, path)
      await store.remove(path)
    } catch (error) {
      try {
        await undo(begun)
        if (begun && entry.op === 'delete') throw error
        await store.remove(path)
      } catch (failure) {
        const rest = left()
        log('error', 'not settled: tried again by the next request for this package, or at the next start', {
          ...fieldsOf(rest),
          reason: messageOf(failure),
        })
        keep(path, rest)
        await replace(path, rest).catch(() => {}) // the disk may take nothing at the moment
        throw new Unsettled(messageOf(error), { cause: error })
      }
      throw error
    }
  }

  /** Settles what was left of this key; throws when it still cannot be. Runs in the key's queue, before anything else. */
  async function repair(key: string, settle: Settle): Promise<void> {
    const left = unsettled.get(key)
    if (!left) return
    for (const [path, entry] of left) {
      await settle(entry)
      await store.remove(path)
      left.delete(path)
      log('info', 'settled', fieldsOf(entry))
    }
    unsettled.delete(key)
  }

  /** Settles what earlier runs left. Run it before anything is changed; running it twice changes nothing. */
  async function settleAll(settle: Settle): Promise<void> {
    for (const name of await store.names(folders.journal)) {
      const path = `${folders.journal}/${name}`
      const text = (await store.read(path))?.toString() ?? ''
      const entry = parseOperation(text)
      if (!entry) {
        // Nothing is done before the entry is whole and on the disk. One that is whole, and not ours, is left for a
        // person to see.
        if (isWhole(text)) log('warn', 'not a journal entry', { path })
        else await store.remove(path)
        continue
      }
      keep(path, entry)
    }
    for (const key of unsettled.keys()) {
      try {
        await repair(key, settle)
      } catch (error) {
        log('error', 'could not be settled: tried again by the next request for it', {
          key,
          reason: messageOf(error),
        })
      }
    }
  }

  return { during, repair, settleAll }
}
