// What nginx answers to `go`, which asks a host in GOPRIVATE where the modules of an import path are: lines of a map in
// nginx.conf, from `{host}{path}` to the content of the go-import tag (go.dev/ref/mod#vcs-find). Pure.

import type { Config } from '../config.js'

/** An owner in a path, as `isOwnerName` has it. No owner's modules are at `{host}/api/…`. */
const OWNER = '(?!api(?:/|\\z))(?<whose>[A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:/|\\z)'

/** A host that an answer may repeat. Nothing in it means more to HTML or to a header. */
const HOST = '(?<asked>[a-z0-9][a-z0-9.-]{0,252})'

// 'plinth.example.com/team/m' → plinth.example.com/team mod https://plinth.example.com/api/packages/team/go
// https://corp.example:8443/plinth → corp.example/plinth/team mod https://corp.example:8443/plinth/api/packages/team/go
/**
 * The map's lines. Import paths have no port: go asks at that of https. Without a public URL the host is the one that
 * was asked, over https whatever the request came by: go downloads over plain http when it is told to.
 */
export function goImportPart({ publicUrl }: Config): string {
  const [host, name, url] =
    publicUrl === undefined
      ? [HOST, '$asked', 'https://$asked']
      : ['[^/]*', publicUrl.replace(/^https?:\/\/([^:/]*)(?::[0-9]+)?/, '$1'), publicUrl]
  return `"~^${host}/${OWNER}" "${name}/$whose mod ${url}/api/packages/$whose/go";\n`
}
