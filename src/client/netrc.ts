// Reads and changes the text of a .netrc file, as go, curl and ftp read it. Pure.

/** `machine` is that of the entry, empty for `default`. */
type Login = { login: string; password: string; machine: string }

/** Yields the words of the file. A word in quotes may hold spaces, and `\` in it quotes the next character (curl). */
function* wordsOf(text: string): Generator<string> {
  // A macro's body may hold anything. It ends at an empty line or at the end of the file. `$(?![^])` is the end of the
  // file: with the flag `m`, `$` is the end of any line, and `(?![^])` says that no character follows.
  const withoutMacros = text.replace(/^[ \t]*macdef\b[^]*?(?:\n[ \t]*\n|$(?![^]))/gm, '\n')
  for (const line of withoutMacros.split('\n')) {
    for (const [, quoted, plain] of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
      if (plain?.startsWith('#')) break // a comment to the end of its line
      yield quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1')
    }
  }
}

/**
 * The login for `host` and `port`: that of the first entry for `host:port` (the spelling of go 1.24 and newer), else of
 * the first for `host`, else of `default`. `host` is in lower case.
 */
export function netrcLogin(text: string, host: string, port: string): Login | undefined {
  const entries: (Partial<Login> & { machine: string })[] = []
  const words = [...wordsOf(text)]
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    const entry = entries.at(-1)
    if (word === 'machine') entries.push({ machine: (words[++at] ?? '').toLowerCase() })
    else if (word === 'default') entries.push({ machine: '' })
    else if (word === 'login' && entry) entry.login ??= words[++at] ?? ''
    else if (word === 'password' && entry) entry.password ??= words[++at] ?? ''
    else if (word === 'account') at++
  }
  for (const machine of [`${host}:${port}`, host, '']) {
    const found = entries.find((entry) => entry.machine === machine)
    if (found?.password !== undefined) return { login: found.login ?? '', password: found.password, machine }
  }
  return undefined
}

const ONE_LINE = /^[ \t]*machine[ \t]+(\S+)[ \t]+login[ \t]+\S+[ \t]+password[ \t]+\S+[ \t]*$/

/**
 * The text with a login for `machine` (`host` or `host:port`): in the place of the first entry for it, where that is
 * one plain line, else in front, since readers take the first entry that fits. Nothing else is changed. Throws for a
 * login that would be read as something else: a server has told it.
 */
export function withLogin(text: string, { machine, login, password }: Login): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(login))
    throw new Error('the account has no name that .netrc can hold')
  if (!/^(?!#)[\x21\x23-\x5b\x5d-\x7e]+$/.test(password))
    throw new Error(
      'the token has characters that .netrc cannot hold for all programs: # at its start, " or \\',
    )
  const entry = `machine ${machine} login ${login} password ${password}`
  const lines = text.split('\n')
  let inMacro = false
  const at = lines.findIndex((line) => {
    inMacro = line.trim() !== '' && (inMacro || /\bmacdef\b/.test(line))
    return !inMacro && ONE_LINE.exec(line)?.[1]?.toLowerCase() === machine
  })
  return at < 0 ? `${entry}\n${text}` : lines.with(at, entry).join('\n')
}
