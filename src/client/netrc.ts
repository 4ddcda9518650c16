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

/**
 * The text with a login for `machine` (`host` or `host:port`): in the place of the first entry for it that is written
 * on lines of its own, else in front, since readers take the first entry that fits.
 */
export function withLogin(text: string, { machine, login, password }: Login): string {
  const entry = `machine ${machine} login ${login} password ${password}\n`
  const lines = text.split('\n')
  const begins = (line: string): boolean => /^\s*(?:machine|default|macdef)\b/.test(line)
  const start = lines.findIndex((line) => {
    const [, name, rest = ''] = /^\s*machine\s+(\S+)(.*)$/.exec(line) ?? []
    return name?.toLowerCase() === machine && !/\b(?:machine|default|macdef)\b/.test(rest)
  })
  if (start < 0) return `${entry}${text}`
  const length = lines.slice(start + 1).findIndex((line) => begins(line) || /^\s*(?:#|$)/.test(line))
  const end = length < 0 ? lines.length : start + 1 + length
  const after = lines.slice(end).join('\n')
  return [...lines.slice(0, start), `${entry}${after}`].join('\n')
}
