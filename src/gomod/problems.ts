// Problems of a zip, as text for the person who sent it.

/** A problem of a zip. `name` is the entry's whole name; a problem of the whole archive has none. */
export type Problem = { name?: string; rule: string }

/** How many problems one answer lists. It counts the others. */
const SHOWN_PROBLEMS = 20
const SHOWN_CHARS = 300

// A name may hold anything, and a rule may quote it: control characters are escaped, and a long text is cut.
const clean = (text: string, most: number): string => {
  const shown = text
    .slice(0, most)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
  return shown.length > most || text.length > most ? `${shown.slice(0, most)}…` : shown
}

// {name: 'example.com/m@v1.0.0/x/go.mod', rule: 'go.mod outside …'} → example.com/m@v1.0.0/x/go.mod: go.mod outside …
export const problemLine = ({ name, rule }: Problem): string => {
  const shownRule = clean(rule, 3 * SHOWN_CHARS) // a rule also quotes names
  return name === undefined ? shownRule : `${clean(name, SHOWN_CHARS)}: ${shownRule}`
}

/** One problem a line, at most {@link SHOWN_PROBLEMS}, then how many were left out. */
export function problemText(problems: readonly Problem[]): string {
  const lines = problems.slice(0, SHOWN_PROBLEMS).map(problemLine)
  if (problems.length > SHOWN_PROBLEMS) lines.push(`and ${problems.length - SHOWN_PROBLEMS} more problems`)
  return lines.join('\n')
}
