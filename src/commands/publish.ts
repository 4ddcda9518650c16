// `plinth publish`: packs a module, or takes a zip, and uploads it to a Plinth.

import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { getLine, serverOf, type Server } from '../client/server.js'
import { clientSettings } from '../client/settings.js'
import { publish as upload } from '../client/upload.js'
import { checkVersion } from '../gomod/semver.js'
import { checkedZip, type Checked, type Packed } from '../pack/pack.js'
import { withTempFolder } from '../pack/temp.js'
import { WrongUsage, type Command } from './command.js'
import {
  folderAndVersion,
  listLines,
  PACK_OPTIONS,
  packedJson,
  packedLines,
  packFolder,
  warn,
} from './pack.js'
import { jsonLines, print } from './print.js'
import { Progress } from './progress.js'

const OPTIONS = {
  ...PACK_OPTIONS,
  url: { type: 'string' },
  owner: { type: 'string' },
  'allow-http': { type: 'boolean', default: false },
} as const

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false

/** Reads [DIR|ZIP] VERSION, or a ZIP alone, which has its version inside. */
function sourceIn(words: string[]): { from: string; version: string | undefined } {
  const [last, from, ...more] = words.toReversed()
  if (last === undefined || more.length > 0) throw new WrongUsage('publish takes [DIR|ZIP] VERSION')
  if (from !== undefined) return { from, version: last }
  if (checkVersion(last) !== undefined && isFile(last)) return { from: last, version: undefined }
  const { folder, version } = folderAndVersion(last)
  return { from: folder, version }
}

async function checkedFile(path: string, version: string | undefined): Promise<Checked> {
  const zip = await checkedZip(path)
  if (version !== undefined && version !== zip.version)
    throw new Error(`${path} is ${zip.module} ${zip.version}, not ${version}`)
  return zip
}

const isPacked = (zip: Checked | Packed): zip is Packed => 'files' in zip

const zipLines = ({ module, version, zipHash, modHash }: Checked): string[] => [
  `${module} ${version} ${zipHash}`,
  `${module} ${version}/go.mod ${modHash}`,
]

async function send(server: Server, zip: Checked, temp: string, json: boolean): Promise<void> {
  const progress = new Progress()
  try {
    const { result, warnings } = await upload(server, zip, temp, (done) =>
      progress.showBytes('uploading', done, zip.bytes),
    )
    progress.clear()
    warn(warnings)
    const get = getLine(server, zip.module, zip.version)
    const text = result === 'published' ? 'published' : 'already published, identical:'
    if (json) print(jsonLines({ result, ...packedJson(zip), get }, 2))
    else print([`${text} ${zip.module} ${zip.version}`, get])
  } finally {
    progress.clear()
  }
}

export const publish: Command = {
  name: 'publish',
  options: Object.keys(OPTIONS),
  anywhere: () => true,
  usage: `  publish [DIR] VERSION --url URL --owner OWNER [--rev COMMIT | --as-is] [--module PATH] [--dry-run] [--json]
  publish ZIP --url URL --owner OWNER     pack and upload, or upload a zip; what is there with the same content is
                                          a success. PLINTH_URL and PLINTH_OWNER stand for the options; the token
                                          is in PLINTH_TOKEN (and its account in PLINTH_ACCOUNT), or in ~/.netrc;
                                          it goes over plain http to this machine only, unless --allow-http`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const { from, version } = sourceIn(positionals)
    const { 'dry-run': dryRun, json } = values
    const settings = { ...clientSettings(), ...(values.url && { url: values.url }) }
    const all = { ...settings, ...(values.owner && { owner: values.owner }) }
    const server = dryRun ? undefined : serverOf(all, values['allow-http']) // before the work of packing
    return withTempFolder(async (temp) => {
      const zip =
        isFile(from) || version === undefined
          ? await checkedFile(from, version)
          : await packFolder(from, version, values, temp)
      warn(zip.warnings)
      if (dryRun && json) print(jsonLines(packedJson(zip), 2))
      if (!json) {
        if (isPacked(zip)) print([...(dryRun ? listLines(zip) : []), ...packedLines(zip)])
        else print(zipLines(zip))
      }
      if (server) await send(server, zip, temp, json)
      return 0
    })
  },
}
