import type { Plinth } from './plinth.js'

/** An account that may write to `team`: its Authorization header. */
export function makeAccount({ cli }: Plinth, name: string): string {
  const token = /plinth_\S+/.exec(cli('account', 'add', name, '--write', 'team'))?.[0] ?? ''
  return `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`
}
