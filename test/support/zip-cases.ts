// The readable zip cases in test/support/zip-cases: the expected verdict on top, the entries below.
//
//   # why
//   ok | ours                          accepted; or refused by a rule that go does not have
//   problem: part of a problem's line
//   warning: part of a warning's line
//   -- name -- {"method": 0, …}        an entry, with what is unusual about it (see raw-zip.ts)
//   its content

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rawZip, type RawEntry } from './raw-zip.js'

type ZipCase = {
  name: string
  ok: boolean
  ours: boolean
  problems: string[]
  warnings: string[]
  zip: Buffer
}

const FOLDER = fileURLToPath(new URL('../../../test/support/zip-cases/', import.meta.url))

function parseCase(name: string, text: string): ZipCase {
  const parsed: ZipCase = { name, ok: false, ours: false, problems: [], warnings: [], zip: Buffer.alloc(0) }
  const entries: (RawEntry & { content: string })[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const entry = /^-- (.*?) --(?: (\{.*\}))?$/.exec(line)
    const last = entries.at(-1)
    if (entry)
      entries.push({ name: entry[1] ?? '', content: '', ...(JSON.parse(entry[2] ?? '{}') as object) })
    else if (last) last.content += `${line}\n`
    else if (line === 'ok') parsed.ok = true
    else if (line === 'ours') parsed.ours = true
    else if (line.startsWith('problem: ')) parsed.problems.push(line.slice('problem: '.length))
    else if (line.startsWith('warning: ')) parsed.warnings.push(line.slice('warning: '.length))
    else if (!line.startsWith('#')) throw new Error(`${name}: what is ${JSON.stringify(line)}?`)
  }
  parsed.zip = rawZip(entries)
  return parsed
}

export const zipCases = (): ZipCase[] =>
  readdirSync(FOLDER).map((file) =>
    parseCase(file.replace(/\.txt$/, ''), readFileSync(FOLDER + file, 'utf8')),
  )
