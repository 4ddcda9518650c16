// `plinth rebuild`: derives everything again from what was uploaded.

import { parseArgs } from 'node:util'
import { quote } from '../errors.js'
import { WrongUsage, type Command } from './command.js'
import { runInspection } from './inspection.js'
import { print } from './print.js'

export const rebuild: Command = {
  name: 'rebuild',
  options: ['owner', 'module', 'dry-run', 'json'],
  anywhere: () => false,
  usage: `  rebuild [--owner NAME] [--module PATH] [--dry-run] [--json]
                    derive everything again from the uploaded files, beside the running service or without one;
                    what is right is not touched; exit code 1 when something cannot be mended`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: {
        owner: { type: 'string' },
        module: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    })
    const { owner, module, json } = values
    const [extra] = positionals
    if (extra !== undefined) throw new WrongUsage(`rebuild takes no ${quote(extra)}`)
    if (module !== undefined && owner === undefined) throw new WrongUsage('rebuild --module needs --owner')
    const scope = { ...(owner !== undefined && { owner }), ...(module !== undefined && { module }) }
    const dry = values['dry-run']
    const { faults, totals } = await runInspection({ mend: !dry, ...scope }, json)
    const left = faults.filter(({ mended, byRebuild }) => !mended && !(dry && byRebuild))
    if (!json) {
      const { packages, files, mended, recorded, unrecorded } = totals
      const done = dry
        ? `${faults.length - left.length} would be mended, ${unrecorded} uploads recorded`
        : `${mended} mended, ${recorded} uploads recorded`
      print(`${packages} packages, ${files} files: ${done}, ${left.length} left`)
    }
    return left.length > 0 ? 1 : 0
  },
}
