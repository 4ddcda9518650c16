// The shape of a command of `plinth`, and of its actions.

/** The person typed words that the command does not take: answered with its usage, exit code 2. */
export class WrongUsage extends Error {}

export type Command = {
  /** The first word. */
  name: string
  /** Its lines in the help, indented by two, each `words    what it does`. */
  usage: string
  /** Its options, without their dashes. */
  options: readonly string[]
  /** Its actions, where the first word after its name is one. */
  actions?: readonly string[]
  /** Whether it needs no data folder, with these words: then it runs on the machine of a developer or of CI. */
  anywhere: (words: readonly string[]) => boolean
  /** Runs it with the words after its name; options are its own to parse. Resolves with the exit code. */
  run: (words: string[]) => Promise<number>
}

/** An action of a command, such as `add` of `account add NAME`. `Given` is what its command gives to every action. */
export type Action<Given extends { values: object }> = {
  /** The action takes no NAME. */
  nameless?: true | ((values: Given['values']) => boolean)
  /** The options that it takes. */
  options: readonly (keyof Given['values'])[]
  run: (given: Given, name: string) => Promise<void>
}

/** Runs the action that the words name. Throws {@link WrongUsage} with the text `takes` when no action takes them. */
export async function runAction<Given extends { values: object }>(
  actions: Readonly<Record<string, Action<Given>>>,
  [word = '', name, ...more]: readonly string[],
  given: Given,
  takes: string,
): Promise<void> {
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined
  const options: readonly PropertyKey[] = action?.options ?? []
  const { nameless = false } = action ?? {}
  const isNameless = typeof nameless === 'function' ? nameless(given.values) : nameless
  const fits =
    more.length === 0 &&
    (name === undefined) === isNameless &&
    Object.keys(given.values).every((option) => options.includes(option))
  if (!action || !fits) throw new WrongUsage(takes)
  await action.run(given, name ?? '')
}
