// kill -9 of the real service while clients publish into one owner with a checksum database, again and again: what was
// acknowledged is recorded, and no head that a reader saw is ever contradicted. At the end go's own packages say so, too.
//
// PLINTH_TEST_KILL_ROUNDS asks for more rounds than every run of the tests makes.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sumdbFolder, sumdbState } from '../../src/layout.js'
import { verifierText, parseSigner } from '../../src/sumdb/note.js'
import { audit } from '../support/auditor.js'
import { DATABASE, makeDatabase, shownHeads } from '../support/checksum-database.js'
import { settledViolations } from '../support/invariants.js'
import { needs } from '../support/programs.js'
import { askService, newData, runService, type Result } from '../support/service.js'
import { simpleModule } from '../support/zips.js'

const ROUNDS = Number(process.env['PLINTH_TEST_KILL_ROUNDS'] ?? 5)
const CLIENTS = 8

t.test(
  `${ROUNDS} times kill -9 while ${CLIENTS} clients publish what is recorded`,
  needs('go'),
  async (t) => {
    const data = await newData({ fast: true })
    await makeDatabase(data)
    const tree = join(data, sumdbFolder('admin', DATABASE))
    const wrong: string[] = []
    const counts = { answered: 0, cut: 0, restored: 0 }
    /** Records of versions that were answered with 201. */
    const recorded: string[] = []
    const seen = new Map<number, string>()
    let onAnswer: () => unknown = () => {}

    /** Looks at the newest head, as a reader does. */
    function look(): void {
      const [, size, root = ''] = readFileSync(join(tree, 'latest'), 'utf8').split('\n')
      if ((seen.get(Number(size)) ?? root) !== root) wrong.push(`two heads of size ${size} were shown`)
      seen.set(Number(size), root)
    }

    /** Publishes new versions; now and then it takes one away and publishes it again. Ends when nobody answers. */
    async function client(nth: number, round: number): Promise<void> {
      const module = `example.com/m${nth % 4}` // two clients share a module
      const asked = async (method: string, path: string, body?: Buffer): Promise<Result | undefined> => {
        const answer = await askService(data, method, `/api/packages/admin/go/${path}`, body).catch(() => {
          counts.cut++
        })
        if (!answer) return undefined
        counts.answered++
        onAnswer()
        if (answer.status > 204) wrong.push(`${method} ${path}: ${answer.status} ${answer.body}`)
        return answer
      }
      for (let n = 0; ; n++) {
        const version = `v1.${nth}.${round * 10_000 + n}`
        const zip = await simpleModule(module, version)
        if (!(await asked('PUT', 'upload', zip))) return
        recorded.push(
          readFileSync(join(tree, 'lookup', `${module}@${version}`), 'utf8').split('\n\n')[0] ?? '',
        )
        look()
        if (n % 3 > 0) continue
        if (!(await asked('DELETE', `${module}/@v/${version}`))) return
        if (!(await asked('PUT', 'upload', zip))) return
      }
    }

    for (let round = 1; round <= ROUNDS && wrong.length === 0; round++) {
      const service = runService(data)
      await service.ready()
      if (/"checksum database restored"/.test(service.log())) counts.restored++
      wrong.push(...(await settledViolations(data, seen)).map((problem) => `round ${round}: ${problem}`))
      const until = counts.answered + 1 + Math.floor(Math.random() * 60)
      const working = Array.from({ length: CLIENTS }, (_, nth) => client(nth, round))
      // after the answer to one client the others are anywhere within their operations
      const enough = new Promise<void>((resolve) => {
        onAnswer = () => counts.answered >= until && resolve()
      })
      await Promise.race([enough, Promise.all(working)])
      await service.end('SIGKILL')
      await Promise.all(working)
      for (const [size, root] of shownHeads(data)) {
        if ((seen.get(size) ?? root) !== root) wrong.push(`round ${round}: two heads of size ${size}`)
        seen.set(size, root)
      }
    }
    const last = runService(data)
    await last.ready()
    wrong.push(...(await settledViolations(data, seen)))
    await last.end('SIGTERM')
    const lines = new Set(readFileSync(join(data, sumdbState('admin'), 'records'), 'utf8').split('\n\n'))
    for (const record of recorded) {
      const text = record.slice(record.indexOf('\n') + 1)
      if (!lines.has(text)) wrong.push(`lost: ${text}`)
    }
    t.same(wrong, [])
    const signer = parseSigner(readFileSync(join(data, sumdbState('admin'), 'key'), 'utf8'))
    const found = await audit({
      key: signer ? verifierText(signer) : '',
      db: tree,
      tree: join(data, 'tree/api/packages/admin/go'),
      state: join(data, sumdbState('admin')),
    })
    t.same(found.problems, [])
    t.ok(found.size >= new Set(recorded).size)
    t.ok(counts.cut > 0)
    t.comment(
      `${ROUNDS} rounds: ${counts.answered} operations answered, ${counts.cut} cut off, ${found.size} records under ` +
        `${found.heads} heads, ${seen.size} of them seen, restored in ${counts.restored} rounds`,
    )
  },
)
