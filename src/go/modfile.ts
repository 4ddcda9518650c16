// As much of the go.mod grammar (go.dev/ref/mod#go-mod-file-grammar) as it takes to read the `module` line.

// A raw string or an interpreted one; a module path needs no escapes, so none are read.
const unquote = (text: string): string | undefined =>
  /^`[^`]*`$/.test(text) || /^"[^"\\]*"$/.test(text)
    ? text.slice(1, -1)
    : /["`]/.test(text)
      ? undefined
      : text

/**
 * The path of the `module` directive, or `undefined` when there is none that can be read.
 * Reads both spellings, `module example.com/m` and `module (⏎ example.com/m⏎)`, quoted or not.
 */
export function modulePathOf(goMod: string): string | undefined {
  let block = false
  for (const rawLine of goMod.replace(/^\ufeff/, '').split('\n')) {
    const comment = rawLine.indexOf('//')
    const words = (comment < 0 ? rawLine : rawLine.slice(0, comment))
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '')
    if (words.length === 0) continue
    if (block && words.length === 1 && words[0] !== ')') return unquote(words[0] ?? '')
    if (words[0] === 'module' && words.length === 2 && words[1] === '(') block = true
    else if (words[0]?.startsWith('module(') && words.length === 1) block = words[0] === 'module('
    else if (words[0] === 'module' && words.length === 2) return unquote(words[1] ?? '')
  }
  return undefined
}
