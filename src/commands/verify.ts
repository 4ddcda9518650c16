// `plinth verify`: checks that everything is as it was published. It only reads.

import { parseArgs } from 'node:util'
import { PLINTH, quote } from '../errors.js'
import { WrongUsage, type Command } from './command.js'
import { runInspection } from './inspection.js'
import { print } from './print.js'

export const verify: Command = {
  name: 'verify',
  options: ['owner', 'json'],
  anywhere: () => false,
  usage: `  verify [--owner NAME] [--json]
                    hold every file against what was uploaded and what follows from it; exit code 1 when
                    anything is wrong`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: { owner: { type: 'string' }, json: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const [extra] = positionals
    if (extra !== undefined) throw new WrongUsage(`verify takes no ${quote(extra)}`)
    const { owner, json } = values
    const { totals } = await runInspection({ mend: false, ...(owner !== undefined && { owner }) }, json)
    if (!json) {
      const { packages, files, faults, unrecorded } = totals
      print(`${packages} packages, ${files} files: ${faults} faults`)
      if (unrecorded > 0)
        print(`${unrecorded} files did not come through the service; ${PLINTH} rebuild records their SHA-256`)
    }
    return totals.faults > 0 ? 1 : 0
  },
}
