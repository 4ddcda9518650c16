// What nginx answers to `go`, which asks a host in GOPRIVATE where the modules of an import path are: lines of a map in
// maps.conf, from `{host}{path}` to the content of the go-import tag (go.dev/ref/mod#vcs-find). Pure.

import type { Config } from '../config.js'

/** An owner in a path, as `isOwnerName` has it. No owner's modules are at `{host}/api/…`. */
const OWNER = '(?!api(?:/|\\z))(?<whose>[A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:/|\\z)'

/** A host that an answer may repeat. Nothing in it means more to HTML or to a header. */
const HOST = '(?<asked>[a-z0-9][a-z0-9.-]{0,252})'

// 'go.corp.example/x' → "~^go\.corp\.example/x(?:/|\z)"
const belowPrefix = (prefix: string): string => `"~^${prefix.replaceAll('.', '\\.')}(?:/|\\z)"`

// What follows `https://` without its port: 'corp.example/plinth'
const pathOf = (url: string): string => url.replace(/^https?:\/\/([^:/]*)(?::[0-9]+)?/, '$1')

// 'plinth.example.com/team/m' → plinth.example.com/team mod https://plinth.example.com/api/packages/team/go
// with the public URL https://corp.example:8443/plinth, for any host:
// '…/team/m' → corp.example/plinth/team mod https://corp.example:8443/plinth/api/packages/team/go
/**
 * The map's lines: import prefixes first, since nginx takes the first that matches. Import paths have no port: go asks
 * at that of https. Without a public URL the host is the one that was asked. It is reached by https, even when the
 * request came by plain http: go would download by plain http if it were told to.
 */
export function goImportPart({ importPrefixes, publicUrl }: Config): string {
  const lines = importPrefixes.map(({ prefix, owner }) => {
    const url = publicUrl ?? `https://${prefix.split('/', 1)[0]}`
    return `${belowPrefix(prefix)} "${prefix} mod ${url}/api/packages/${owner}/go";\n`
  })
  const [host, name, url] =
    publicUrl === undefined ? [HOST, '$asked', 'https://$asked'] : ['[^/]*', pathOf(publicUrl), publicUrl]
  return `${lines.join('')}"~^${host}/${OWNER}" "${name}/$whose mod ${url}/api/packages/$whose/go";\n`
}
