// Compares the versions that are there with what the owner's checksum database has of them.

import type { ModuleVersion } from '../layout.js'
import { PLINTH } from '../errors.js'
import { headText } from '../sumdb/note.js'
import { databasePaths } from '../sumdb/paths.js'
import { parseLookup, parseRecord, recordText, type GoSums } from '../sumdb/record.js'
import { readRecords } from '../sumdb/records-file.js'
import { lookupFile } from '../sumdb/truth.js'
import { writeFiles } from '../sumdb/restore-files.js'
import { REBUILD, type Finding } from './finding.js'
import { seeDatabase, type SeeingNeeds, type Seen, type SeenDatabase } from './seen-database.js'

/** Whether the text of a lookup says that the version has these sums. */
export function isRecordedAs(lookup: Buffer | undefined, at: ModuleVersion, sums: GoSums): boolean {
  const recorded = parseRecord(parseLookup(lookup?.toString() ?? '')?.record ?? '')
  return recorded !== undefined && recordText(recorded, recorded.sums) === recordText(at, sums)
}

/** The databases of all owners, each looked at once in an inspection. */
export class SeenDatabases {
  readonly #needs: SeeingNeeds
  readonly #seen = new Map<string, Promise<Seen>>()
  /** Of the owners whose lookups were compared with the records: whether one was found to be wrong. */
  readonly #compared = new Map<string, (lookup: string) => boolean>()

  constructor(needs: SeeingNeeds) {
    this.#needs = needs
  }

  of(owner: string): Promise<Seen> {
    const seen = this.#seen.get(owner) ?? seeDatabase(this.#needs, owner)
    this.#seen.set(owner, seen)
    return seen
  }

  /** Every lookup of the owner was compared. `isWrong` tells which paths were named. */
  wasCompared(owner: string, isWrong: (lookup: string) => boolean): void {
    this.#compared.set(owner, isWrong)
  }

  /** What is wrong with the record of a version whose zip and go.mod have these sums. */
  async inspect(at: ModuleVersion, sums: GoSums): Promise<Finding[]> {
    const { database } = await this.of(at.owner)
    if (database?.status !== 'enabled') return []
    const path = databasePaths(at.owner, database.signer.name).lookup(at)
    const text = await this.#needs.store.read(path)
    if (isRecordedAs(text, at, sums)) return []
    const lookup = parseLookup(text?.toString() ?? '')
    const recorded = parseRecord(lookup?.record ?? '')
    if ((await this.#needs.databases.statusOf(at.owner)) !== 'enabled') return [] // it was disabled meanwhile
    if (this.#compared.get(at.owner)?.(path)) return []
    if (lookup && recorded && (await database.timeline.recordAt(lookup.id)) === lookup.record)
      return [conflict(path, at, { was: recorded.sums, is: sums })]
    const repair = (): Promise<void> => this.#record(database, at, sums)
    const fault = `${at.module} ${at.version} is there, and its record is not: go refuses it`
    return [{ path, fault, mend: REBUILD, repair }]
  }

  /** Records a version, or writes its lookup when it is recorded. */
  async #record(database: SeenDatabase, at: ModuleVersion, sums: GoSums): Promise<void> {
    const { log, truth, signer, owner } = database
    if (!log) throw new Error('the database records nothing')
    const record = recordText(at, sums)
    const before = `${at.module} ${at.version} `
    let id = 0
    for await (const found of readRecords(truth.records, 0, log.head?.bytes ?? 0)) {
      if (!found.startsWith(before)) {
        id++
        continue
      }
      if (found !== record) throw new Error('its record has other hashes')
      return log.alone(async () => {
        const { head } = log
        if (!head) return
        const file = lookupFile(id, record, headText(signer, head, head.signature))
        const { folder } = databasePaths(owner, signer.name)
        await writeFiles({ store: this.#needs.store, folder }, [file])
      })
    }
    await log.append(at, sums)
  }
}

function conflict(
  path: string,
  { owner, module, version }: ModuleVersion,
  { was, is }: { was: GoSums; is: GoSums },
): Finding {
  const [recorded, present] = was.zip === is.zip ? [was.mod, is.mod] : [was.zip, is.zip]
  return {
    path,
    fault: `${module} ${version} is recorded with ${recorded}, and what is there has ${present}: go refuses it`,
    mend: `delete this version and publish a new one; or ${PLINTH} sumdb rotate ${owner} with a new name`,
  }
}
