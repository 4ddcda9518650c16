// What a command of `npx plinth` is.

/** The person typed something that the command does not take: answered with its usage, exit code 2. */
export class WrongUsage extends Error {}

export type Command = {
  /** The first word. */
  name: string
  /** Its lines in the help, indented by two, each `words    what it does`. */
  usage: string
  /** It needs no data folder and no settings: it runs on the machine of a developer or of CI. */
  anywhere?: true
  /** Runs it with the words after its name; options are its own to parse. Resolves with the exit code. */
  run: (words: string[]) => Promise<number>
}
