// `plinth sumdb`: checksum databases, on the machine that serves them; and `check`, which needs none of it.

import { quote } from '../errors.js'
import { WrongUsage, type Command } from './command.js'

type SumdbAction = (words: string[]) => Promise<number>

const LOADERS: Readonly<Record<string, () => Promise<SumdbAction>>> = {
  enable: async () => (await import('./sumdb-here.js')).enable,
  show: async () => (await import('./sumdb-here.js')).show,
  check: async () => (await import('./sumdb-check.js')).check,
  rotate: async () => (await import('./sumdb-here.js')).rotate,
  recover: async () => (await import('./sumdb-here.js')).recover,
  disable: async () => (await import('./sumdb-here.js')).disable,
}

export const sumdb: Command = {
  name: 'sumdb',
  actions: Object.keys(LOADERS),
  options: ['name', 'dry-run', 'yes', 'json', 'at', 'only', 'drop', 'fresh', 'head', 'allow-http'],
  anywhere: ([action]) => action === 'check',
  usage: `  sumdb enable OWNER --name NAME [--dry-run] [--yes] [--json]
                    record what is published under OWNER in a checksum database of its own, for ever: all
                    that is there, and each publish from now on. NAME is who signs, such as
                    sum.corp.example/team. Run it again when it was interrupted. Exit code 1 when a version
                    has other content than is recorded
  sumdb show [OWNER] [--at SIZE] [--only PREFIX] [--json]
                    what go needs in GOSUMDB, the number of records, and the root; --at: the root at a size;
                    --only: the GONOSUMDB that leaves modules below PREFIX to this database
  sumdb check GO.SUM… [--only PREFIX]… [--head FILE] [--allow-http] [--json]
                    whether the lines of go.sum files, of modules below PREFIX, are recorded in the database
                    that PLINTH_SUMDB='NAME+ID+KEY URL' names, with their proofs; --head: and whether its log
                    continues what FILE has, which then remembers the newest head. Exit code 1 and a line for
                    each that fails. It runs anywhere, without a data folder
  sumdb rotate OWNER --name NEW [--fresh] [--yes] [--json]
                    another name and a new key for the same records; what is there of the old name stays.
                    --fresh: for what is there now alone
  sumdb rotate OWNER --drop                 take the files of earlier names away
  sumdb recover OWNER                       read records and heads again from the tree, which knows more
  sumdb disable OWNER [--yes] [--json]      take it out of the tree; enabling goes on with the same records`,

  async run([word, ...words]) {
    const load = word !== undefined && Object.hasOwn(LOADERS, word) ? LOADERS[word] : undefined
    if (!load)
      throw new WrongUsage(
        `sumdb takes: ${Object.keys(LOADERS).join(', ')}${word === undefined ? '' : `, and not ${quote(word)}`}`,
      )
    return (await load())(words)
  },
}
