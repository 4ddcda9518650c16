// What nginx answers to `go`, which asks a host in GOPRIVATE where the modules of an import path are: lines of a map in
// nginx.conf, from `{host}{path}` to the content of the go-import tag (go.dev/ref/mod#vcs-find). Pure.

/** An owner in a path, as `isOwnerName` has it. No owner's modules are at `{host}/api/…`. */
const OWNER = '(?!api(?:/|\\z))(?<whose>[A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:/|\\z)'

/** A host that an answer may repeat. Nothing in it means more to HTML or to a header. */
const HOST = '(?<asked>[a-z0-9][a-z0-9.-]{0,252})'

// 'plinth.example.com/team/m' → plinth.example.com/team mod https://plinth.example.com/api/packages/team/go
/** The map's lines. go asks at the port of https, so the answer names none. */
export const goImportPart = (): string =>
  `"~^${HOST}/${OWNER}" "$asked/$whose mod https://$asked/api/packages/$whose/go";\n`
