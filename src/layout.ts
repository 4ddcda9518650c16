// The paths below the data folder. Pure: the only file that knows a path.
//
//   tree/                                      nginx's root: only what readers may see, never a temp file
//     -/index.html  -/{style.css …}            derived: the public owners; the site's own files, and /-/health
//     api/packages/{owner}/
//       go/{!module}/@latest                   derived: the .info of the highest version
//       go/{!module}/@v/list                   derived: releases and pre-releases, semver order
//       go/{!module}/@v/{!version}.zip         the truth: uploaded bytes; mtime = time of publication
//       go/{!module}/@v/{!version}.mod         derived: the zip's go.mod, or a synthetic one
//       go/{!module}/@v/{!version}.info        derived, written last: makes the version visible
//       go/{!module}/@v/latest.{info,mod,zip}  derived: hard links to the files of the version @latest names
//       go/sumdb/{name}/                       derived: the owner's checksum database, see sumdb/paths.ts
//       generic/{name}/{version}/{file}        the truth: uploaded bytes; mtime = time of publication
//       -/                                     derived: views of the owner's packages; nothing uploaded can be here
//         index.json  index.html  all.html     the owner's catalogue, and its pages
//         index.ndjson  feed.atom              the owner's log of module versions, kept; the newest versions
//         go/{!module}/@/index.{json,html}     a module
//         go/{!module}/@/{!version}.{json,html}  a module version
//         generic/{name}/@/index.{json,html}   a generic package
//         generic/{name}/{version}/SHA256SUMS · version.{json,html}
//         latest/{name}/{file}                 a link to the file of the highest version that has it
//   access/                                    never served
//     accounts/{account}.json                  the truth: salted hash of the token, rights, expiry
//     owners/{owner}.json                      the truth: public or private; immutable or not
//     public/{owner}                           derived link to the owner's folder in tree/: nginx lets anyone read
//                                              through it while it is there
//     readers/{owner}                          derived: hashes of the tokens that nginx lets read it
//   inbox/                                     never served: files dropped here are published, and leave
//     {owner}/go/{any name}.zip
//     {owner}/generic/{name}/{version}/{file}
//     rejected/{the same path}                 refused files, each beside a .txt with the reasons
//   state/                                     never served; same file system as tree/
//     tmp/{id}/                                an upload in flight, and files about to be renamed into the tree;
//                                              of several machines the service has a folder of its own in it
//     journal/{id}.json                        operations in flight
//     sums/{xx}/{hash of path}.json            SHA-256 of each uploaded file, kept since its upload
//     gone/{xx}/{hash of path}.json            what deleted files of immutable owners were
//     hashes/{xx}/{hash of path}.json          other hashes of a version's files, for which somebody has asked
//     sumdb/{owner}/                           the truth of the owner's checksum database, see sumdb/paths.ts
//     sumdb-names  sumdb-removed/{id}/         the names that were ever used; those of owners that are gone
//     due/{owner}                              the views of the owner's packages together are to be made again
//     lock  active  cluster-key                held by the one writer, which it names; how other machines reach it
//     format  backup.json                      the number of the format; in a backup alone, what is known of it
//     service.pid                              of the service, until it ends in order
//     alive                                    the lease of the service that writes, with PLINTH_STANDBY
//     verify.json  verify-part.json            results of the last verify of everything, and of a later one of a part
//     mirror/{id}/                             what `mirror-to` remembers of a bucket
//     audit.log  audit.path                    the audit log, or where the running service's is; absent without one
//   state/, or the folder PLINTH_RUNTIME         what belongs to the processes of one machine
//     start.pid                                of the `npm start` that serves
//     control/sock                             the service's socket for commands, in a folder that nginx cannot enter
//     control/nginx.sock                       nginx's socket for its own figures, with PLINTH_METRICS
//     shim.sock                                the service's socket for nginx
//     filesystem.json                          what was probed of the data folder's file system
//     nginx/                                   nginx.conf and its parts, pid, {refused,access}.log(.1), temp folders

import { createHash } from 'node:crypto'
import { escapePath } from './gomod/module-path.js'

/** One module version of one owner; `module` and `version` are unescaped. */
export type ModuleVersion = { owner: string; module: string; version: string }

/** One module of one owner. */
export type Module = Omit<ModuleVersion, 'version'>

/** One generic package version of one owner. */
export type GenericVersion = { owner: string; name: string; version: string }

export const folders = {
  tree: 'tree',
  accounts: 'access/accounts',
  owners: 'access/owners',
  public: 'access/public',
  readers: 'access/readers',
  inbox: 'inbox',
  rejected: 'inbox/rejected',
  tmp: 'state/tmp',
  journal: 'state/journal',
  sums: 'state/sums',
  hashes: 'state/hashes',
  gone: 'state/gone',
  due: 'state/due',
  sumdb: 'state/sumdb',
  sumdbRemoved: 'state/sumdb-removed',
  mirror: 'state/mirror',
} as const

export const lockPath = 'state/lock'
export const formatPath = 'state/format'
export const backupNotePath = 'state/backup.json'
export const servicePidPath = 'state/service.pid'
export const sumdbNamesPath = 'state/sumdb-names'
export const leasePath = 'state/alive'
export const auditLogPath = 'state/audit.log'
export const auditNotePath = 'state/audit.path'
export const clusterPaths = { active: 'state/active', key: 'state/cluster-key' } as const
export const verifyResultPath = 'state/verify.json'
export const verifyPartPath = 'state/verify-part.json'

/** What belongs to no owner: the page of all public owners, and the files that all pages share. */
export const siteFolder = `${folders.tree}/-`
export const siteIndex = `${siteFolder}/index.html`
export const siteFile = (name: string): string => `${siteFolder}/${name}`

export const packagesFolder = `${folders.tree}/api/packages`
// 'admin' → tree/api/packages/admin
export const ownerTree = (owner: string): string => `${packagesFolder}/${owner}`

// {owner: 'admin', module: 'github.com/Azure/x'} → tree/api/packages/admin/go/github.com/!azure/x
const moduleFolder = ({ owner, module }: Module): string => `${ownerTree(owner)}/go/${escapePath(module)}`

/** Empty folders are removed up to this one, which is kept while the owner exists. */
export const goFolder = (owner: string): string => `${ownerTree(owner)}/go`
/** An owner's checksum databases. No module path begins so: its first element has a dot. */
export const sumdbRoot = (owner: string): string => `${goFolder(owner)}/sumdb`
export const sumdbFolder = (owner: string, name: string): string => `${sumdbRoot(owner)}/${name}`
export const sumdbState = (owner: string): string => `${folders.sumdb}/${owner}`
export const genericFolder = (owner: string): string => `${ownerTree(owner)}/generic`

/** The files of a module that do not belong to one version. */
export function modulePaths(module: Module) {
  const folder = moduleFolder(module)
  return {
    folder,
    versions: `${folder}/@v`,
    list: `${folder}/@v/list`,
    latest: `${folder}/@latest`,
    // the three files that follow @latest, beside those of the version: 'zip' → @v/latest.zip
    latestFile: (extension: Extension): string => `${folder}/@v/latest.${extension}`,
  }
}

/** The three files of a version, in the order in which they are published. */
export const extensions = ['zip', 'mod', 'info'] as const
export type Extension = (typeof extensions)[number]

// (github.com/Azure/x, v1.2.0-RC1, 'zip') → …/github.com/!azure/x/@v/v1.2.0-!r!c1.zip
export const versionFile = (at: ModuleVersion, extension: Extension): string =>
  `${moduleFolder(at)}/@v/${escapePath(at.version)}.${extension}`

// (admin, tool, 1.0, tool.tar.gz) → tree/api/packages/admin/generic/tool/1.0/tool.tar.gz
export const genericVersionFolder = ({ owner, name, version }: GenericVersion): string =>
  `${genericFolder(owner)}/${name}/${version}`
export const genericFile = (at: GenericVersion, file: string): string => `${genericVersionFolder(at)}/${file}`

/** Whether this is the path of an uploaded file, a module's zip (not latest.zip) or a generic file: it has a record. */
export function isUpload(path: string): boolean {
  if (!path.startsWith(`${packagesFolder}/`)) return false
  const [, kind, ...names] = path.slice(packagesFolder.length + 1).split('/')
  if (kind === 'generic') return names.length === 3
  return kind === 'go' && names.at(-2) === '@v' && /^v.*\.zip$/.test(names.at(-1) ?? '')
}

/** The folder of an owner's views. No registry has this name, so nothing uploaded can be here. */
export const viewsFolder = (owner: string): string => `${ownerTree(owner)}/-`

// ({owner: 'admin', module: 'example.com/M'}) → tree/api/packages/admin/-/go/example.com/!m/@/…
/** The views of a module. No module path has an `@`, and every version begins with a `v`. */
export function moduleViews({ owner, module }: Module) {
  const folder = `${viewsFolder(owner)}/go/${escapePath(module)}/@`
  return {
    /** Empty folders are removed up to this one. */
    root: `${viewsFolder(owner)}/go`,
    folder,
    index: `${folder}/index.json`,
    page: `${folder}/index.html`,
    facts: (version: string): string => `${folder}/${escapePath(version)}.json`,
    versionPage: (version: string): string => `${folder}/${escapePath(version)}.html`,
  }
}

/** The views of a generic package and of one version. A version may be called `@`: no two names are the same. */
export function genericViews({ owner, name, version }: GenericVersion) {
  const root = `${viewsFolder(owner)}/generic`
  const folder = `${root}/${name}/${version}`
  return {
    root,
    folder,
    sums: `${folder}/SHA256SUMS`,
    facts: `${folder}/version.json`,
    versionPage: `${folder}/version.html`,
    ...genericPackageViews({ owner, name }),
  }
}

/** The views of a generic package. */
export function genericPackageViews({ owner, name }: Omit<GenericVersion, 'version'>) {
  const folder = `${viewsFolder(owner)}/generic/${name}/@`
  return { packageFolder: folder, index: `${folder}/index.json`, page: `${folder}/index.html` }
}

/** Where the newest files of a generic package are linked. */
export const latestFolder = (owner: string, name: string): string => `${viewsFolder(owner)}/latest/${name}`
export const latestLink = ({ owner, name }: GenericVersion, file: string): string =>
  `${latestFolder(owner, name)}/${file}`
/** The text of {@link latestLink}: ({owner, name: 'tool', version: '1.0'}, 'x') → ../../../generic/tool/1.0/x */
export const latestTarget = ({ name, version }: GenericVersion, file: string): string =>
  `../../../generic/${name}/${version}/${file}`

/** The views of an owner's packages together. */
export function ownerViews(owner: string) {
  const folder = viewsFolder(owner)
  return {
    folder,
    catalogue: `${folder}/index.json`,
    page: `${folder}/index.html`,
    all: `${folder}/all.html`,
    log: `${folder}/index.ndjson`,
    feed: `${folder}/feed.atom`,
  }
}

/** Says that the views of an owner's packages together are due. */
export const dueMarker = (owner: string): string => `${folders.due}/${owner}`

/** The folders of sums, named by a hash: a path may be long, and no folder holds too many files. */
export const sumFolders: readonly string[] = Array.from(
  { length: 256 },
  (_, index) => `${folders.sums}/${index.toString(16).padStart(2, '0')}`,
)

// ('tree/api/packages/admin/generic/tool/1.0/x') → state/sums/5e/5e0c….json
export const sumFile = (path: string): string => fileOf(folders.sums, path)

/** Where the other hashes of a version's files are. `path` is that of a module's zip, or a generic version's folder. */
export const hashesFile = (path: string): string => fileOf(folders.hashes, path)

/** What the uploaded file at `path` was, when it was deleted from an immutable owner. */
export const goneFile = (path: string): string => fileOf(folders.gone, path)

function fileOf(folder: string, path: string): string {
  const hash = createHash('sha256').update(path).digest('hex')
  return `${folder}/${hash.slice(0, 2)}/${hash}.json`
}

export const accountFile = (account: string): string => `${folders.accounts}/${account}.json`
export const ownerFile = (owner: string): string => `${folders.owners}/${owner}.json`
// 'admin' → access/public/admin, a symbolic link with the text ../../tree/api/packages/admin
export const publicMarker = (owner: string): string => `${folders.public}/${owner}`
export const publicTarget = (owner: string): string => `../../${ownerTree(owner)}`
export const readersFile = (owner: string): string => `${folders.readers}/${owner}`

// 'tree/api/packages/admin/go/example.com/m/@v/list' → /api/packages/admin/go/example.com/m/@v/list
export const urlPath = (path: string): string =>
  path
    .slice(folders.tree.length)
    .split('/')
    .map((name) => encodeURIComponent(name).replaceAll('%40', '@'))
    .join('/')
