// The shape of a setting: which variables it is read from, and how.

import { quote, StartProblem } from '../errors.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** Turns the text of the setting `name` into its value. Throws a {@link StartProblem} that names the setting. */
export type Parse<T> = (text: string, name: string, env: Environment) => T

/** One field of {@link Config}: the settings that it is read from, and how. */
export type Setting<T> = { names: readonly string[]; read: (env: Environment) => T }

// A setting with a default. The default is written as people write the setting.
export const setting = <T>(name: string, parse: Parse<T>, fallback: string): Setting<T> => ({
  names: [name],
  read: (env) => parse(env[name] || fallback, name, env),
})

export const optional = <T>(name: string, parse: Parse<T>): Setting<T | undefined> => ({
  names: [name],
  read: (env) => (env[name] ? parse(env[name], name, env) : undefined),
})

// A setting that concerns https is a mistake without TLS: its user believes in a protection that does not exist.
export const onlyWithTls = <T>({ names, read }: Setting<T | undefined>): Setting<T | undefined> => ({
  names,
  read(env) {
    const value = read(env)
    if (value === undefined || env['PLINTH_TLS_CERT']) return value
    throw new StartProblem(
      `${names.join()} needs PLINTH_TLS_CERT and PLINTH_TLS_KEY: there is no https without them`,
    )
  },
})

export const bad = (name: string, value: string, rule: string): StartProblem =>
  new StartProblem(`${name}=${quote(value)} is not valid: ${rule}`)
