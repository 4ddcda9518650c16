// What an attack is, and what it is given: it runs in a process of its own, so that it takes no time from the good
// clients.

/** What an attack may reach. It travels to the attack's process as JSON. */
export type Target = {
  port: number
  /** The data folder, for attackers on this machine. */
  data: string
  /** The process of `npm start`. */
  startPid: number
  /** The Authorization header of the account that attacks. It may write to the owner `team`. */
  hostile: string
  /** Those of accounts that have the same right, and behave. */
  others: readonly string[]
}

export type Attack = {
  name: string
  what: string
  /** Runs beside the good clients before the attack begins. */
  prepare?: (target: Target) => Promise<void> | void
  /** Makes what takes long to make, in the process of the attack: its time begins afterwards. */
  arm?: () => void
  /** Runs until `signal` is aborted, in a process of its own, and cleans up. Opens a bounded number of things. */
  run: (target: Target, signal: AbortSignal) => Promise<void>
  /** Looks for broken promises after the attack. */
  check?: (target: Target, seen: Seen) => string[]
  /** The service is killed: a good client repeats a write that gets 503, and its time is not judged. */
  kills?: true
}

/** What the service and nginx wrote to their log during an attack. */
export type Seen = { longestLine: number; logBytes: number }
