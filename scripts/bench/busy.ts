// Small uploads while the largest module that go takes is being uploaded and checked.

import { sourceModule } from './modules.js'
import { startPlinth, type Plinth } from '../../test/support/plinth.js'
import { peakOf } from './processes.js'
import { quantile, timed, type Bench } from './row.js'

const WORKERS = 4

export const busy: Bench = {
  name: 'busy',
  what: 'small generic uploads while a module of 500 MB in 5,000 files is checked',
  needs: ['nginx'],
  async run({ size }) {
    const plinth = await startPlinth()
    const zip = sourceModule('example.com/huge', 'v1.0.0', size(500_000_000, 5_000_000), size(5000, 50))
    const idleUploads = size(400, 20)
    let uploads = 0
    const upload = (): Promise<number> =>
      timed(async () => {
        const path = `/api/packages/admin/generic/small/${++uploads}/file`
        const { status } = await plinth.ask('PUT', path, { body: 'x'.repeat(1024) })
        if (status !== 201) throw new Error(`a small upload was answered with ${status}`)
      })
    const uploadWhile = async (go: () => boolean): Promise<number[]> => {
      const times: number[] = []
      const worker = async (): Promise<void> => {
        while (go()) times.push(await upload())
      }
      await Promise.all(Array.from({ length: WORKERS }, worker))
      return times
    }

    const idle = await uploadWhile(() => uploads < idleUploads)
    let running = true
    const [during, heavy] = await Promise.all([
      uploadWhile(() => running),
      publishTwice(plinth, zip).finally(() => (running = false)),
    ])
    const peak = peakOf(plinth.shimPid())
    await plinth.stop()
    const row = (name: string, share: number, goal?: string) => ({
      name: `${name} of ${during.length} uploads of 1 KiB, 4 at a time`,
      unit: 'ms',
      ours: [quantile(during, share)],
      base: [quantile(idle, share)],
      baseName: 'the same, nothing else running',
      ...(goal && { goal }),
    })
    return [
      row('p50', 0.5),
      row('p99', 0.99, '< 250 ms'),
      { name: 'publishing the large module meanwhile', unit: 'ms', ours: heavy, ...peak, goal: '< 150 MB' },
    ]
  },
}

/** The same module twice: the second is checked as the first was, and then found to exist. */
async function publishTwice(plinth: Plinth, zip: Buffer): Promise<number[]> {
  const times: number[] = []
  for (const expected of [201, 409]) {
    times.push(
      await timed(async () => {
        const answer = await plinth.publish(zip)
        if (answer.status !== expected) throw new Error(`the large module: ${answer.status} ${answer.body}`)
      }),
    )
  }
  return times
}
