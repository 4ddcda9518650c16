// Names of generic packages, as Gitea and Forgejo accept them. Every check takes the text after its one
// percent-decoding and returns what is wrong, or undefined.

import { quote, Refusal } from '../errors.js'
import { genericFile, type GenericVersion } from '../layout.js'
import { checkFits, MAX_NAME_BYTES } from '../store/fits.js'

const tooLong = (text: string): boolean => Buffer.byteLength(text) > MAX_NAME_BYTES
const isDots = (text: string): boolean => text === '.' || text === '..'

/** `[A-Za-z0-9._+-]+`, not `.` or `..`; a single character must be a letter or a digit. */
export function checkPackageName(name: string): string | undefined {
  if (tooLong(name)) return `package name is too long: at most ${MAX_NAME_BYTES} bytes`
  if (!/^[A-Za-z0-9._+-]+$/.test(name) || isDots(name)) {
    return `invalid package name ${quote(name)}: it is made of letters, digits and . _ + -`
  }
  if (name.length === 1 && !/[A-Za-z0-9]/.test(name)) {
    return `invalid package name ${quote(name)}: a single character must be a letter or a digit`
  }
  return undefined
}

/** Any text that one directory can be called: no `/`, no control character, no white space at either end. */
export function checkPackageVersion(version: string): string | undefined {
  const say = (rule: string): string => `invalid package version ${quote(version)}: ${rule}`
  if (version === '') return say('it must not be empty')
  if (tooLong(version)) return `package version is too long: at most ${MAX_NAME_BYTES} bytes`
  if (version !== version.trim()) return say('no white space at its start or end')
  if (isDots(version)) return say('a version is one directory, and this names another one')
  if (version.includes('/')) return say('a version is one directory, so it holds no /')
  if (/\p{Cc}/u.test(version)) return say('no control characters')
  return undefined
}

/** Gitea's set: `[A-Za-z0-9._+=:;()[]{}~!@#$%^& -]+`, no space at either end, not `.` or `..`. */
export function checkFileName(file: string): string | undefined {
  if (tooLong(file)) return `file name is too long: at most ${MAX_NAME_BYTES} bytes`
  if (!/^[A-Za-z0-9._+=:;()[\]{}~!@#$%^& -]+$/.test(file) || isDots(file)) {
    const allowed = 'letters, digits, spaces and . _ + - = : ; ( ) [ ] { } ~ ! @ # $ % ^ &'
    return `invalid file name ${quote(file)}: it is made of ${allowed}`
  }
  return file === file.trim() ? undefined : `invalid file name ${quote(file)}: no space at its start or end`
}

/** What is wrong with the names of a generic version, or undefined. */
export const versionProblem = ({ name, version }: GenericVersion): string | undefined =>
  checkPackageName(name) ?? checkPackageVersion(version)

/** Throws a 400 for names that no file can be published under, whichever way the file came in. */
export function mustBeNames(at: GenericVersion, file: string): void {
  const problem = versionProblem(at) ?? checkFileName(file) ?? checkFits(genericFile(at, file), 'the path')
  if (problem !== undefined) throw new Refusal(400, problem)
}
