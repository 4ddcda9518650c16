// What a benchmark is answered must be what it expects: a refusal is fast, and no figure.

import type { Answer } from '../../test/support/http.js'

/** The answer, when it has this status. */
export async function expecting(status: number, asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked
  if (answer.status !== status) throw new Error(`answered with ${answer.status}: ${answer.body}`)
  return answer
}
