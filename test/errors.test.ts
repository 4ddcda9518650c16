// How texts of strangers look in a message.

import t from 'tap'
import { messageOf, quote, visible } from '../src/errors.js'

t.test('what a terminal would obey or hide is escaped, and nothing else', async (t) => {
  const rows: [text: string, shown: string, why: string][] = [
    ['m@v1.0.0/x.go: refused', 'm@v1.0.0/x.go: refused', 'what can be seen stays'],
    ['Größe 大小 "q" \\ é e\u0301 👍', 'Größe 大小 "q" \\ é e\u0301 👍', 'in any script'],
    ['a\x1b[2Jb\x07', 'a\\u001b[2Jb\\u0007', 'commands of the terminal'],
    ['a\nb\rc\td\0', 'a\\u000ab\\u000dc\\u0009d\\u0000', 'another line, or the start of this one'],
    ['a\x7fb', 'a\\u007fb', 'DEL'],
    ['a\u0080\u009b31m\u009f', 'a\\u0080\\u009b31m\\u009f', 'commands in C1'],
    ['a\u2028b\u2029', 'a\\u2028b\\u2029', "Unicode's ends of lines"],
    ['a\u202a\u202b\u202c\u202d\u202e', 'a\\u202a\\u202b\\u202c\\u202d\\u202e', 'reordering'],
    [
      '\u2066\u2067\u2068\u2069\u200e\u200f\u061c',
      '\\u2066\\u2067\\u2068\\u2069\\u200e\\u200f\\u061c',
      'too',
    ],
    ['a\u200b\u200d\u00ad\ufeff', 'a\\u200b\\u200d\\u00ad\\ufeff', 'no width: two names look the same'],
    ['a\u{e0041}', 'a\\udb40\\udc41', 'beyond 16 bits, as JSON has it'],
    ['a\ud800', 'a\\ud800', 'half a character'],
    [
      Buffer.from([0x61, 0x9b, 0xff]).toString(),
      'a\ufffd\ufffd',
      'what was not UTF-8 is no command any more',
    ],
  ]
  for (const [text, shown, why] of rows) {
    t.equal(visible(text), shown, why)
    t.equal(visible(shown), shown, 'once is enough')
    t.equal(JSON.parse(visible(JSON.stringify(text))), text, 'JSON keeps its value')
    t.equal(JSON.parse(quote(text)), text, 'and so does a quoted value')
    t.equal(visible(quote(text)), quote(text), 'which can be seen')
  }
})

t.test('a message of the system is one line, others have the lines of their author', async (t) => {
  const failed = Object.assign(new Error("ENOENT: no such file, open 'a\n\x1b[2J'"), { code: 'ENOENT' })
  t.equal(messageOf(failed), "ENOENT: no such file, open 'a\\u000a\\u001b[2J'")
  t.equal(messageOf(new Error('first\nsecond')), 'first\nsecond')
})
