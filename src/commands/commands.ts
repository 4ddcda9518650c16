// The commands of `plinth` in the order of its help. Each is loaded when it is asked for: most need little, and loading
// all of them takes longer than most of them run.

import type { Command } from './command.js'

const LOADERS: Readonly<Record<string, () => Promise<Command>>> = {
  owner: async () => (await import('./owner.js')).owner,
  account: async () => (await import('./account.js')).account,
  access: async () => (await import('./access.js')).access,
  collect: async () => (await import('./collect.js')).collectCommand,
  import: async () => (await import('./import.js')).importCommand,
  verify: async () => (await import('./verify.js')).verify,
  rebuild: async () => (await import('./rebuild.js')).rebuild,
  sumdb: async () => (await import('./sumdb.js')).sumdb,
  status: async () => (await import('./status.js')).status,
  log: async () => (await import('./log.js')).log,
  backup: async () => (await import('./backup.js')).backup,
  'mirror-to': async () => (await import('./mirror-to.js')).mirrorTo,
  'nginx-files': async () => (await import('./nginx-files.js')).nginxFiles,
  restore: async () => (await import('./restore.js')).restore,
  probe: async () => (await import('./probe.js')).probeCommand,
  pack: async () => (await import('./pack.js')).pack,
  publish: async () => (await import('./publish.js')).publish,
  login: async () => (await import('./login.js')).login,
  whoami: async () => (await import('./whoami.js')).whoami,
  ls: async () => (await import('./ls.js')).ls,
  show: async () => (await import('./show.js')).show,
  search: async () => (await import('./search.js')).search,
  rm: async () => (await import('./rm.js')).rm,
  completion: async () => (await import('./completion.js')).completionOf(loadCommands),
}

/** The first word of each command. */
export const COMMAND_NAMES: readonly string[] = Object.keys(LOADERS)

/** The command of this name, `undefined` when there is none. */
export const loadCommand = async (name: string | undefined): Promise<Command | undefined> =>
  name !== undefined && Object.hasOwn(LOADERS, name) ? LOADERS[name]?.() : undefined

/** All commands, for what tells of all of them. */
export const loadCommands = (): Promise<Command[]> =>
  Promise.all(Object.values(LOADERS).map((load) => load()))
