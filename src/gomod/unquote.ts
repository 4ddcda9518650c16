// Reads a quoted string of go's: strconv.Unquote, for strings in double quotes.

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}

const ESCAPE = /\\(?:([abfnrtv\\"])|x([\da-fA-F]{2})|([0-7]{3})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/y

const isCharacter = (code: number): boolean => code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)

const SPECIAL = /["\\\n]/g

/** Bytes are the characters up to U+00FF here. */
const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')

/** The bytes that the escape at `at` stands for and where it ends; `undefined` when it is none of go's. */
function escapeAt(text: string, at: number): { bytes: string; end: number } | undefined {
  ESCAPE.lastIndex = at
  const [whole = '', simple, hex, octal, short, long] = ESCAPE.exec(text) ?? []
  const end = at + whole.length
  if (simple !== undefined) return { bytes: SIMPLE[simple] ?? '', end }
  if (hex !== undefined || octal !== undefined) {
    const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16)
    return byte > 0xff ? undefined : { bytes: String.fromCharCode(byte), end }
  }
  const code = Number.parseInt(short ?? long ?? '', 16)
  return isCharacter(code) ? { bytes: bytesOf(String.fromCodePoint(code)), end } : undefined
}

// '"a\\x62"' → ab
/**
 * The value of a string in double quotes, quotes included; `undefined` when go cannot read it. Escapes may stand for
 * bytes that are no UTF-8: these become U+FFFD.
 */
export function unquote(quoted: string): string | undefined {
  const last = quoted.length - 1
  if (last < 1 || !quoted.startsWith('"') || !quoted.endsWith('"')) return undefined
  let bytes = ''
  for (let at = 1; at < last;) {
    SPECIAL.lastIndex = at
    const next = SPECIAL.exec(quoted)?.index ?? last
    bytes += bytesOf(quoted.slice(at, next))
    if (next === last) break
    const escape = escapeAt(quoted, next)
    if (escape === undefined || escape.end > last) return undefined
    bytes += escape.bytes
    at = escape.end
  }
  return Buffer.from(bytes, 'latin1').toString()
}
