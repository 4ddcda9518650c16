// The names that a generic file is published under, however it came in.

import { Refusal } from '../errors.js'
import { checkFits, genericFile, type GenericVersion } from '../layout.js'
import { checkFileName, checkPackageName, checkPackageVersion } from './names.js'

/** What is wrong with the version's names. */
export const versionProblem = ({ name, version }: GenericVersion): string | undefined =>
  checkPackageName(name) ?? checkPackageVersion(version)

/** Throws a 400 for names that no file can be published under. */
export function mustBeNames(at: GenericVersion, file: string): void {
  const problem = versionProblem(at) ?? checkFileName(file) ?? checkFits(genericFile(at, file), 'the path')
  if (problem !== undefined) throw new Refusal(400, problem)
}
