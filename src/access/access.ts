// Who there is and who may do what: accounts and owners. Each change is of their files first (the truth), then of
// what nginx reads (derived), and has taken effect in both when its promise resolves.

import { holdingAccessLock } from './lock.js'
import { readAccounts, readOwners, isDeclared, mustBeDeclared as mustBeDeclaredIn } from './files.js'
import {
  accountText,
  findAccount,
  ownerText,
  type Account,
  type Credentials,
  type Finding,
  type Owner,
  type Rights,
  isOwnerName,
} from './rights.js'
import { deriveHoldingLock } from './derive.js'
import { Refusal } from '../errors.js'
import { accountFile, folders, genericFolder, goFolder, ownerFile, publicMarker } from '../layout.js'
import type { OwnerRemoval } from '../packages/owner-removal.js'
import type { Store } from '../store/store.js'
import { hashToken } from './token.js'

export type Access = ReturnType<typeof openAccess>

/** What of an account is changed; what is not there stays. `expires: null` is never. */
export type AccountChange = { rights?: Rights; token?: string; expires?: string | null }

const NAME_RULE = '[A-Za-z0-9][A-Za-z0-9._-]*, at most 64 characters'

function mustBeName(kind: 'account' | 'owner', name: string): void {
  if (!isOwnerName(name)) throw new Refusal(400, `invalid ${kind} name ${JSON.stringify(name)}: ${NAME_RULE}`)
}

export function openAccess(store: Store) {
  const changing = <T>(action: () => Promise<T>): Promise<T> =>
    holdingAccessLock(store, async () => {
      const result = await action()
      await deriveHoldingLock(store)
      return result
    })

  /** Whose credentials these are. The work is the same whoever they are of, and if they are nobody's. */
  const authenticate = async (credentials: Credentials): Promise<Finding> =>
    findAccount((await readAccounts(store)).accounts, credentials, Date.now())

  const ownerExists = (owner: string): Promise<boolean> => isDeclared(store, owner)
  const mustBeDeclared = (owner: string): Promise<void> => mustBeDeclaredIn(store, owner)

  // Files are given to whom their folder belongs to: root changes them for a service that is not root.
  async function writeTruth(folder: string, path: string, text: string): Promise<void> {
    const there = await store.status(folder)
    await store.write(path, text, {
      ...(there && { stamp: { uid: there.uid, gid: there.gid, mode: 0o600 } }),
    })
    await store.sync(folder)
  }

  const writeAccount = (account: Account): Promise<void> =>
    writeTruth(folders.accounts, accountFile(account.name), accountText(account))

  async function mustHaveOwners({ read, write }: Rights): Promise<void> {
    for (const owner of [...read, ...write]) await mustBeDeclared(owner)
  }

  /** Makes an account with this token. Throws a 409 when there is one of this name, a 404 for an owner that is none. */
  const addAccount = (name: string, token: string, rights: Rights, expires?: string): Promise<Account> =>
    changing(async () => {
      mustBeName('account', name)
      if (await store.exists(accountFile(name)))
        throw new Refusal(
          409,
          `account ${name} is there already: "account set" changes it, "account rotate" gives a new token`,
        )
      await mustHaveOwners(rights)
      const account: Account = {
        name,
        hash: hashToken(token),
        ...rights,
        created: new Date().toISOString(),
        ...(expires !== undefined && { expires }),
      }
      await writeAccount(account)
      return account
    })

  /** Changes an account: with the next request in the service and in nginx. A replaced token is dead at once. */
  const changeAccount = (name: string, change: AccountChange): Promise<Account> =>
    changing(async () => {
      mustBeName('account', name)
      const { accounts, damaged } = await readAccounts(store)
      if (damaged.includes(name))
        throw new Refusal(409, `the file of account ${name} is damaged: remove the account and add it again`)
      const before = accounts.find((account) => account.name === name)
      if (!before) throw new Refusal(404, `no account ${JSON.stringify(name)}`)
      if (change.rights) await mustHaveOwners(change.rights)
      const { expires: expiry, ...kept } = { ...before, ...change.rights }
      const expires = change.expires === undefined ? expiry : (change.expires ?? undefined)
      const account: Account = {
        ...kept,
        ...(change.token !== undefined && { hash: hashToken(change.token) }),
        ...(expires !== undefined && { expires }),
      }
      await writeAccount(account)
      return account
    })

  const removeAccount = (name: string): Promise<void> =>
    changing(async () => {
      mustBeName('account', name)
      if (!(await store.remove(accountFile(name))))
        throw new Refusal(404, `no account ${JSON.stringify(name)}`)
      await store.sync(folders.accounts)
    })

  /** Declares an owner. nginx serves nothing of it before the marker is written, which is the last step. */
  const addOwner = (owner: Owner): Promise<void> =>
    changing(async () => {
      mustBeName('owner', owner.name)
      if (await ownerExists(owner.name)) throw new Refusal(409, `owner ${owner.name} is declared already`)
      await writeTruth(folders.owners, ownerFile(owner.name), ownerText(owner))
    })

  // The marker goes first when something closes: whatever happens after that, nobody reads without credentials.
  async function close(owner: string): Promise<void> {
    await store.remove(publicMarker(owner))
    await store.sync(folders.public)
  }

  /** Makes an owner public or private. */
  const setOwner = (owner: Owner): Promise<void> =>
    changing(async () => {
      mustBeName('owner', owner.name)
      await mustBeDeclared(owner.name)
      if (!owner.public) await close(owner.name)
      await writeTruth(folders.owners, ownerFile(owner.name), ownerText(owner))
    })

  /** Whether anything is published under it; an owner that is not declared any more may hold packages, too. */
  const holdsPackages = async (owner: string): Promise<boolean> =>
    isOwnerName(owner) &&
    ((await store.names(goFolder(owner))).length > 0 || (await store.names(genericFolder(owner))).length > 0)

  const holdsStill = (owner: string): Refusal =>
    new Refusal(409, `owner ${owner} holds packages: delete them, or remove it --with-packages`)

  /**
   * Takes an owner back, the rights to it, and with `withPackages` all that is published under it. For the one process
   * that writes to the tree, whose `packages` these are. A removal that was cut off can be said again.
   * Throws a 404 when it is not declared, and a 409 when it holds packages and these are to stay.
   */
  const removeOwner = (owner: string, withPackages: boolean, packages: OwnerRemoval): Promise<void> =>
    changing(async () => {
      mustBeName('owner', owner)
      const holds = await holdsPackages(owner)
      if (!withPackages || !holds) await mustBeDeclared(owner)
      if (!withPackages && holds) throw holdsStill(owner)
      const before = (await readOwners(store)).find(({ name }) => name === owner)
      await close(owner)
      await store.remove(ownerFile(owner))
      await store.sync(folders.owners)
      await packages.settled(owner)
      if (!withPackages && before && (await holdsPackages(owner))) {
        await writeTruth(folders.owners, ownerFile(owner), ownerText(before)) // published to while we looked
        await deriveHoldingLock(store)
        throw holdsStill(owner)
      }
      // An owner of the same name, declared some day, is another one.
      for (const account of (await readAccounts(store)).accounts) {
        const others = (names: string[]): string[] => names.filter((name) => name !== owner)
        if (account.read.includes(owner) || account.write.includes(owner))
          await writeAccount({ ...account, read: others(account.read), write: others(account.write) })
      }
      await packages.remove(owner)
    })

  return {
    accounts: () => readAccounts(store),
    owners: () => readOwners(store),
    authenticate,
    ownerExists,
    mustBeDeclared,
    holdsPackages,
    addAccount,
    changeAccount,
    removeAccount,
    addOwner,
    setOwner,
    removeOwner,
  }
}
