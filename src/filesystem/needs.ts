// What the data folder needs of its file system, and what would break without it.

/** `{elsewhere}` is a machine or a process, whichever the probe had. */
type NeedText = {
  breaks: string
  /** Plinth works without it, but not as well. */
  isWish?: true
}

/** Of a file system that a machine has for itself. */
export const LOCAL_NEEDS = {
  link: { breaks: 'two uploads of one version could both be answered with 201' },
  exclusive: { breaks: 'two processes could write the same file' },
  rename: { breaks: 'a reader could find no list, or half of one, while it is replaced' },
  'rename of folders': { breaks: 'an owner could not be removed with its packages' },
  sync: { breaks: 'what was answered with 201 could be lost when the power goes' },
  times: { breaks: 'a version would have another time of publication than the one it was given' },
  'parts of a second': {
    breaks: 'what changes twice within one second could look as if it had changed once',
    isWish: true,
  },
  'open files': { breaks: 'a download could break when its version is deleted or replaced' },
  'removed files': { breaks: 'a folder could not be removed while a download reads from it', isWish: true },
  locks: { breaks: 'two services could write at the same time' },
  symlinks: { breaks: 'no public owner could be read, and no latest file' },
  'capital letters': { breaks: 'files whose names differ in that alone would be one' },
  names: { breaks: 'files would have other names than those they were published under' },
  'long names': { breaks: 'files with names of up to 255 bytes could not be published' },
  modes: { breaks: 'users of the machine could read private packages and hashes of tokens' },
  space: { breaks: 'every upload would be refused, as by a full disk' },
  sockets: {
    breaks: 'the service could not be reached: its sockets must be on another file system',
    isWish: true,
  },
} as const satisfies Record<string, NeedText>

/** Of a file system that is seen by two sides: what one changes, the other sees at once. */
const SHARED_NEEDS = {
  replaced: { breaks: 'a reader of {elsewhere} would see an old list after the 201' },
  appeared: { breaks: 'a reader of {elsewhere} would be told that a version is not there after the 201' },
  removed: { breaks: 'a deleted version could still be read from {elsewhere}' },
  closed: { breaks: 'an owner that was made private could still be read from {elsewhere}' },
  led: { breaks: 'the link to the latest file would lead to an older one at {elsewhere}' },
  moved: { breaks: 'packages of a removed owner could still be read from {elsewhere}', isWish: true },
  listed: { breaks: 'verify, rebuild and a takeover at {elsewhere} could overlook files' },
  grown: { breaks: 'after a takeover {elsewhere} could go on from an old end of a log' },
  rewritten: { breaks: 'after a takeover {elsewhere} could go by an old state of a file' },
  dated: { breaks: 'a version would have another time of publication at {elsewhere}' },
  whole: { breaks: 'a reader of {elsewhere} could get half a list, or none, while it is replaced' },
  forward: { breaks: 'a reader of {elsewhere} could see a list go back to an older one' },
  'one winner': { breaks: 'two services could both publish one version' },
  locked: { breaks: 'two services could write at the same time' },
  freed: { breaks: 'no other service could take over' },
} as const satisfies Record<string, NeedText>

export type LocalNeed = keyof typeof LOCAL_NEEDS
export type SharedNeed = keyof typeof SHARED_NEEDS
export type Need = LocalNeed | SharedNeed

const NEEDS: Readonly<Record<Need, NeedText>> = { ...LOCAL_NEEDS, ...SHARED_NEEDS }

/** Whether Plinth works without it, if not as well. */
export const isWish = (need: Need): boolean =>
  NEEDS[need].isWish === true ||
  // the file systems of these machines are so by default, and people try Plinth out there
  (process.platform === 'darwin' && need === 'capital letters')

/** What would break without it. `elsewhere` is what the other side is, as `another machine`. */
export const breaksWithout = (need: Need, elsewhere = 'another machine'): string =>
  NEEDS[need].breaks.replace('{elsewhere}', elsewhere)
