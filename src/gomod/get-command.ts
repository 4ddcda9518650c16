// The command with which go gets a module: of the host in the module's path when that leads to the owner's registry,
// else of the registry named by GOPROXY (go.dev/ref/mod#private-modules). Pure.

import type { ImportPrefix } from './import-prefix.js'

/** Where a module is: `url` is the Plinth's, without a slash at its end. `prefixes` are its own, the longest first. */
export type ModulePlace = { url: string; owner: string; prefixes: readonly ImportPrefix[] }

// ('go.corp.example/x/m', 'go.corp.example/x') → true; ('go.corp.example/xy', 'go.corp.example/x') → false
const isBelow = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`)

// cmd/go/internal/vcs vcsPaths: go takes such a path for that of a repository, and asks no host
const NAMES_A_REPOSITORY = /\.(?:bzr|fossil|git|hg|svn)(?:\/|$)/

// ('plinth.example.com/team/m', {url: 'https://plinth.example.com', owner: 'team'}) → plinth.example.com
/**
 * The value of GOPRIVATE with which go finds `module`; `undefined` when its path does not lead to the owner's registry.
 * go asks the host by https at its usual port, so with another URL only an import prefix leads there.
 */
export function privateRoot(module: string, { url, owner, prefixes }: ModulePlace): string | undefined {
  if (NAMES_A_REPOSITORY.test(module)) return undefined
  const found = prefixes.find(({ prefix }) => isBelow(module, prefix))
  if (found) return found.owner === owner ? found.prefix : undefined
  const root = /^https:\/\/([a-z0-9.-]+(?:\/[\w.~-]+)*)$/.exec(url)?.[1]
  return root !== undefined && owner !== 'api' && isBelow(module, `${root}/${owner}`) ? root : undefined
}

/** The command for a module that go finds by its path; `undefined` for any other. */
export function privateCommand(module: string, version: string, place: ModulePlace): string | undefined {
  const root = privateRoot(module, place)
  return root === undefined ? undefined : `GOPRIVATE=${root} go get ${module}@${version}`
}

/** The command for any module; `registry` is the owner's GOPROXY. */
export const getCommand = (module: string, version: string, registry: string, place: ModulePlace): string =>
  privateCommand(module, version, place) ??
  `GOPROXY=${registry} GONOSUMDB=${module} go get ${module}@${version}`
