// Problems of a zip, as text for the person who sent it.

import { visible } from '../errors.js'

/** A problem of a zip. `name` is the entry's whole name; a problem of the whole archive has none. */
export type Problem = { name?: string; rule: string }

/** How many problems a list has. It counts the others. */
const SHOWN_PROBLEMS = 20
const SHOWN_CHARS = 300

// A name may hold anything, and a rule may quote it. A long text is cut.
const clean = (text: string, most: number): string => {
  const shown = visible(text.slice(0, most))
  return shown.length > most || text.length > most ? `${shown.slice(0, most)}…` : shown
}

// {name: 'example.com/m@v1.0.0/x/go.mod', rule: 'go.mod outside …'} → example.com/m@v1.0.0/x/go.mod: go.mod outside …
export const problemLine = ({ name, rule }: Problem): string => {
  const shownRule = clean(rule, 3 * SHOWN_CHARS) // a rule also quotes names
  return name === undefined ? shownRule : `${clean(name, SHOWN_CHARS)}: ${shownRule}`
}

/** What a list holds of a name or a rule: more than is shown of it. */
const KEPT_CHARS = 4 * SHOWN_CHARS

const cut = (text: string): string => (text.length > KEPT_CHARS ? text.slice(0, KEPT_CHARS) : text)

/** Collects problems. It holds the first SHOWN_PROBLEMS, whatever a hostile zip has, and counts the others. */
export class ProblemList {
  readonly #first: Problem[] = []
  #count = 0

  add({ name, rule }: Problem): void {
    if (this.#count++ < SHOWN_PROBLEMS)
      this.#first.push({ ...(name !== undefined && { name: cut(name) }), rule: cut(rule) })
  }

  /** The problems, with a last one that counts those that are left out. */
  list(): Problem[] {
    const more = this.#count - this.#first.length
    return more > 0 ? [...this.#first, { rule: `and ${more} more problems` }] : [...this.#first]
  }
}

/** One problem a line. */
export const problemText = (problems: readonly Problem[]): string => problems.map(problemLine).join('\n')
