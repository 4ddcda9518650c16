// The accounts as the service keeps them: parsed, and read anew when their files change. So credentials cost the same
// with one account and with 10,000, and a change by a command counts from the next request on.
//
// `account:token` looks at the status of one file and compares one hash, that of nobody where there is no account. A
// token alone, or with a name that is no account's, finds its account by the hint in the account's file. Accounts of
// earlier versions have none: they are compared one after the other, in turns, until one of their tokens was right.
// Nothing is kept of unknown names and tokens.

import type { Stats } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { accountFile, folders } from '../layout.js'
import { readEach } from '../store/read-each.js'
import { signatureOf } from '../store/reading.js'
import type { Store } from '../store/store.js'
import { accountNames, readAccount, type Accounts } from './files.js'
import { isExpired, isOwnerName, type Account, type AccountMatch, type Credentials } from './rights.js'
import { hashToken, newToken, tokenHint, tokenMatches } from './token.js'
import { Turns } from './turns.js'

/**
 * A file or folder that changed so short a time ago may change again without a sign: the kernel counts times in ticks,
 * some file systems in seconds, and inodes are used again.
 */
const FRESH_MS = 2000
/** Hashes that are compared in one go: less than a ms. */
const COMPARED_AT_ONCE = 200

/** A file as it was read. `signature` is absent while it is fresh. A damaged file has no `account`. */
type KnownFile = { signature?: string; account?: Account; hint?: string }

const isFresh = ({ ctimeMs }: Stats, now: number): boolean => now - ctimeMs < FRESH_MS

export class KnownAccounts {
  readonly #store: Store
  readonly #matches: typeof tokenMatches
  /** The hash that is compared where there is no account. */
  readonly #nobody = hashToken(newToken())
  /** An account's name → its file. */
  readonly #files = new Map<string, KnownFile>()
  /** A hint → the names of accounts whose tokens have it. Those without a hint are under `undefined`. */
  readonly #hinted = new Map<string | undefined, Set<string>>()
  /** The signature of the folder when its files were last looked at; absent when it was fresh. */
  #folder: string | undefined
  /** When the last look at all files began that has ended, in ms. */
  #lookedAt = -Infinity
  /** The look at all files that is under way. */
  #looking: Promise<void> | undefined
  /** The look after that one. */
  #nextLook: Promise<void> | undefined
  /** Turns for what costs more the more accounts there are. */
  readonly #turns = new Turns()

  /** Whether the disk failed to read a file since the last look began. */
  #unread = false

  constructor(store: Store, matches = tokenMatches) {
    this.#store = store
    this.#matches = matches
  }

  /**
   * Finds whose credentials these are. With a right token any name is taken that is no other account's: clients write
   * what they like there. The time tells neither whether a token is right nor whether an account exists.
   * `charge` is called before work that grows with the number of accounts, and may throw. Throws a 429 when too many
   * wait for such work.
   */
  async authenticate(credentials: Credentials, charge: () => void): Promise<AccountMatch> {
    const { account: name, token } = credentials
    if (name === undefined) return { account: await this.#ownerOf(token, charge), claimed: undefined }
    const account = await this.get(name)
    if (this.#isRight(account, token)) return { account, claimed: name }
    const owner = await this.#ownerOf(token, charge)
    if (!account) return { account: owner, claimed: undefined }
    return { account: undefined, claimed: name, ...(owner && { anothers: true }) }
  }

  /** The account of this name, as its file is now; `undefined` for none and for a damaged one. */
  async get(name: string): Promise<Account | undefined> {
    if (!isOwnerName(name)) return undefined
    const now = Date.now()
    const status = await this.#store.status(accountFile(name))
    const signature = status && signatureOf(status)
    const known = this.#files.get(name)
    if (known?.signature !== undefined && known.signature === signature) return known.account
    const account = status && (await readAccount(this.#store, name))
    this.#forget(name)
    if (account === undefined) return undefined
    // A file that was replaced between the two calls has another signature than this at the next look.
    const isSettled = status?.isFile() && !isFresh(status, now)
    const kept = isSettled && signature !== undefined ? { signature } : {}
    if (account === 'damaged') {
      this.#files.set(name, kept)
      return undefined
    }
    if (account === 'unread') {
      // The disk may have failed for a moment: the next request reads it again.
      this.#files.set(name, {})
      this.#folder = undefined
      this.#unread = true
      return undefined
    }
    const hint = account.hint ?? (known?.account?.hash === account.hash ? known.hint : undefined)
    this.#keep(name, { ...kept, account, ...(hint !== undefined && { hint }) })
    return account
  }

  /** All accounts, in the order of their names, as their files are now. */
  async all(): Promise<Accounts> {
    await this.#look()
    const found: Accounts = { accounts: [], damaged: [] }
    for (const name of [...this.#files.keys()].sort()) {
      const account = this.#files.get(name)?.account
      if (account) found.accounts.push(account)
      else found.damaged.push(name)
    }
    return found
  }

  #isRight(account: Account | undefined, token: string): boolean {
    const matches = this.#matches(account?.hash ?? this.#nobody, token)
    if (!account || !matches) return false
    const known = this.#files.get(account.name)
    if (known?.account === account && known.hint === undefined) {
      this.#forget(account.name)
      this.#keep(account.name, { ...known, hint: tokenHint(token) })
    }
    return !isExpired(account, Date.now())
  }

  async #ownerOf(token: string, charge: () => void): Promise<Account | undefined> {
    const asked = performance.now()
    const hint = tokenHint(token)
    const account = await this.#hintedBy(hint, token)
    if (account || (!this.#hinted.has(undefined) && (await this.#isUpToDate()))) return account
    this.#turns.mustHaveRoom()
    charge()
    return this.#turns.run(async () => {
      // A look that began after the request saw every change from before it. So those that waited share one.
      if (this.#lookedAt < asked && !(await this.#isUpToDate())) await this.#look()
      return (await this.#hintedBy(hint, token)) ?? (await this.#withoutHint(token))
    })
  }

  async #hintedBy(hint: string, token: string): Promise<Account | undefined> {
    const names = this.#hinted.get(hint)
    if (!names) this.#isRight(undefined, token)
    for (const name of Array.from(names ?? [])) {
      const account = await this.get(name) // its file may say something else by now
      if (this.#isRight(account, token)) return account
    }
    return undefined
  }

  /** Compares all accounts that have no hint, and does not stop at the right one. */
  async #withoutHint(token: string): Promise<Account | undefined> {
    let found: string | undefined
    let compared = 0
    for (const name of Array.from(this.#hinted.get(undefined) ?? [])) {
      const hash = this.#files.get(name)?.account?.hash
      if (hash !== undefined && this.#matches(hash, token)) found = name
      if (++compared % COMPARED_AT_ONCE === 0) await breathe()
    }
    const account = found === undefined ? undefined : await this.get(found)
    return this.#isRight(account, token) ? account : undefined
  }

  /** Whether every file is known that the folder has. */
  async #isUpToDate(): Promise<boolean> {
    const folder = await this.#store.status(folders.accounts)
    return folder !== undefined && this.#folder === signatureOf(folder)
  }

  /** Looks at the status of every file, and reads those that changed. A look that began earlier does not count. */
  #look(): Promise<void> {
    if (!this.#looking) return (this.#looking = this.#lookNow().finally(() => (this.#looking = undefined)))
    this.#nextLook ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#nextLook = undefined
        return this.#look()
      })
    return this.#nextLook
  }

  async #lookNow(): Promise<void> {
    const now = Date.now()
    const began = performance.now()
    const folder = await this.#store.status(folders.accounts)
    const names = await accountNames(this.#store)
    this.#unread = false
    await readEach(names, (name) => this.get(name))
    const there = new Set(names)
    for (const name of this.#files.keys()) if (!there.has(name)) this.#forget(name)
    this.#folder = folder && !this.#unread && !isFresh(folder, now) ? signatureOf(folder) : undefined
    this.#lookedAt = began
  }

  #keep(name: string, file: KnownFile): void {
    this.#files.set(name, file)
    const names = this.#hinted.get(file.hint) ?? new Set()
    this.#hinted.set(file.hint, names.add(name))
  }

  #forget(name: string): void {
    const file = this.#files.get(name)
    if (!file) return
    this.#files.delete(name)
    const names = this.#hinted.get(file.hint)
    names?.delete(name)
    if (names?.size === 0) this.#hinted.delete(file.hint)
  }
}
