// The addresses of pages, of files and of what else is said of packages. Absolute paths, escaped for URLs.
//
//   /                                        public owners
//   /{owner}/  /{owner}/all                  an owner's packages; those of `api` are below /-/api/
//   /{owner}/go/{!module}[@{!version}]       a module, a version of it
//   /{owner}/generic/{name}[/{version}]      a generic package, a version of it
//   /-/style.css  /-/search.js  /-/icon.svg  the site's own files
//   /api/packages/{owner}/…                  the packages, and below `-` what is derived from them

import type { ImportPrefix } from '../gomod/import-prefix.js'
import { escapePath } from '../gomod/module-path.js'

/**
 * What pages know of the server. `publicUrl` is its address for readers, with a path when a proxy serves it below one,
 * and without a slash at its end: `https://plinth.example.com`.
 */
export type Site = { publicUrl?: string | undefined; importPrefixes?: readonly ImportPrefix[] | undefined }

// 'https://example.com/plinth' → /plinth
/** The path of the public address, before each path of this server. Without one it is empty. */
export const basePath = ({ publicUrl }: Site): string =>
  publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')

// 'na me@1+2' → na%20me@1+2
const segment = (text: string): string =>
  encodeURIComponent(text).replaceAll('%40', '@').replaceAll('%2B', '+')

// 'github.com/Azure/x' → github.com/!azure/x
const escaped = (path: string): string => escapePath(path).split('/').map(segment).join('/')

/** The addresses that no owner has. */
export function siteAddresses(site: Site) {
  const base = basePath(site)
  return {
    home: `${base}/`,
    style: `${base}/-/style.css`,
    script: `${base}/-/search.js`,
    icon: `${base}/-/icon.svg`,
  }
}

/** The addresses of an owner, of its packages, and of their files. */
export function ownerAddresses(site: Site, owner: string) {
  const base = basePath(site)
  // nginx serves packages below /api/, so no page can be there
  const pages = `${base}/${owner === 'api' ? '-/api' : segment(owner)}`
  const packages = `${base}/api/packages/${segment(owner)}`
  const views = `${packages}/-`
  const moduleView = (module: string): string => `${views}/go/${escaped(module)}/@`
  const versionView = (name: string, version: string): string =>
    `${views}/generic/${segment(name)}/${segment(version)}`
  return {
    page: `${pages}/`,
    all: `${pages}/all`,
    module: (module: string): string => `${pages}/go/${escaped(module)}`,
    moduleVersion: (module: string, version: string): string =>
      `${pages}/go/${escaped(module)}@${escaped(version)}`,
    generic: (name: string): string => `${pages}/generic/${segment(name)}`,
    genericVersion: (name: string, version: string): string =>
      `${pages}/generic/${segment(name)}/${segment(version)}`,

    registry: `${packages}/go`,
    list: (module: string): string => `${packages}/go/${escaped(module)}/@v/list`,
    moduleFile: (module: string, version: string, extension: 'zip' | 'mod' | 'info'): string =>
      `${packages}/go/${escaped(module)}/@v/${escaped(version)}.${extension}`,
    genericFile: (name: string, version: string, file: string): string =>
      `${packages}/generic/${segment(name)}/${segment(version)}/${segment(file)}`,

    index: `${views}/index.json`,
    feed: `${views}/feed.atom`,
    log: `${views}/index.ndjson`,
    moduleIndex: (module: string): string => `${moduleView(module)}/index.json`,
    moduleFacts: (module: string, version: string): string =>
      `${moduleView(module)}/${escaped(version)}.json`,
    genericIndex: (name: string): string => `${views}/generic/${segment(name)}/@/index.json`,
    genericFacts: (name: string, version: string): string => `${versionView(name, version)}/version.json`,
    sums: (name: string, version: string): string => `${versionView(name, version)}/SHA256SUMS`,
    latestFile: (name: string, file: string): string => `${views}/latest/${segment(name)}/${segment(file)}`,
  }
}

/**
 * What GOPRIVATE must name for go to find the module here by its path alone, without GOPROXY: a prefix that belongs to
 * the owner, or the public address' host when the path goes on with the owner. `undefined` when the path does not lead
 * here: go asks over https only, and no import path has the port of a `host:port`.
 */
export function importPrefixOf(site: Site, owner: string, module: string): string | undefined {
  const begins = (prefix: string): boolean => module === prefix || module.startsWith(`${prefix}/`)
  const own = site.importPrefixes?.find((mapped) => mapped.owner === owner && begins(mapped.prefix))
  if (own !== undefined) return own.prefix
  if (site.publicUrl === undefined) return undefined
  const { protocol, host } = new URL(site.publicUrl)
  const fits = protocol === 'https:' && begins(`${host}${basePath(site)}/${owner}`)
  return fits ? host : undefined
}
