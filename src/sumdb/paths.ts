// The paths of a checksum database, below the two folders that layout.ts gives it. Pure.
//
//   {sumdbFolder}/                        in the tree, derived: readable as the owner is
//     supported                           empty: go asks for it first. The last one to come, the first one to go
//     latest                              the newest signed head
//     lookup/{!module}@{!version}         the record of a version, and a signed head
//     tile/8/{level}/{index}              256 hashes
//     tile/8/{level}/{index}.p/{width}    fewer, of the last tile of a level
//     tile/8/data/{index}                 the records themselves, in the same way
//   {sumdbState}/                         of the service alone
//     key                                 signs the heads
//     records                             the truth: every record with an empty line behind it
//     heads                               the truth: a line for each head that was signed
//     status                              "enabling" or "disabled"; not there when the database is on
//     before/{n}/{key,heads}              those of earlier names
//     next/{key,heads}                    those of a rotation that is under way
//     recovered/{records,heads}           what is read again from the tree

import { escapePath } from '../gomod/module-path.js'
import { sumdbFolder, sumdbState } from '../layout.js'

/** The level of the records in paths of tiles. */
export const DATA = 'data'

// 1234067 → x001/x234/067
function indexPath(index: number): string {
  const digits = (of: number): string => String(of % 1000).padStart(3, '0')
  let path = digits(index)
  for (let above = Math.floor(index / 1000); above > 0; above = Math.floor(above / 1000))
    path = `x${digits(above)}/${path}`
  return path
}

// {github.com/Azure/x, v1.0.0-RC1} → github.com/!azure/x@v1.0.0-!r!c1
/** How a version is called below `lookup/`. */
export const lookupName = ({ module, version }: { module: string; version: string }): string =>
  `${escapePath(module)}@${escapePath(version)}`

/** The path of a full tile below a database, as URLs have it, too. */
export const tilePath = (level: number | typeof DATA, index: number): string =>
  `tile/8/${level}/${indexPath(index)}`

/** Where its partial tiles are. */
export const partialFolder = (level: number | typeof DATA, index: number): string =>
  `${tilePath(level, index)}.p`

/** The path of a tile of this width. */
export const partialPath = (level: number | typeof DATA, index: number, width: number): string =>
  `${partialFolder(level, index)}/${width}`

/** The files of a database in the tree. */
export function databasePaths(owner: string, name: string) {
  const folder = sumdbFolder(owner, name)
  return {
    folder,
    supported: `${folder}/supported`,
    latest: `${folder}/latest`,
    lookup: (at: { module: string; version: string }): string => `${folder}/lookup/${lookupName(at)}`,
    /** The absolute place of a path below the database. */
    at: (path: string): string => `${folder}/${path}`,
  }
}

/** The files of a database that the service keeps for itself. */
export function statePaths(owner: string) {
  const folder = sumdbState(owner)
  return {
    folder,
    key: `${folder}/key`,
    records: `${folder}/records`,
    heads: `${folder}/heads`,
    status: `${folder}/status`,
    before: `${folder}/before`,
    recovered: {
      folder: `${folder}/recovered`,
      records: `${folder}/recovered/records`,
      heads: `${folder}/recovered/heads`,
    },
    next: { folder: `${folder}/next`, key: `${folder}/next/key`, heads: `${folder}/next/heads` },
  }
}

/** A tile by its place; without a `width` it is the full one. */
type TilePlace = { level: number | typeof DATA; index: number; width?: number }

// tile/8/0/x001/234.p/7 → {level: 0, index: 1234, width: 7}
/** Reads the path of a tile; `undefined` for any other text. */
export function parseTilePath(path: string): TilePlace | undefined {
  const [, name = '', digits = '', wide] =
    /^tile\/8\/(data|\d)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? []
  if (name === '') return undefined
  const level: TilePlace['level'] = name === DATA ? DATA : Number(name)
  const index = Number(digits.replace(/[x/]/g, ''))
  const tile: TilePlace = { level, index, ...(wide !== undefined && { width: Number(wide) }) }
  const right = tile.width === undefined ? tilePath(level, index) : partialPath(level, index, tile.width)
  return right === path ? tile : undefined
}
