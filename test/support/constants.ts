// Figures as the sources have them, for tests that hold sentences of the documents against them.

import { read } from './documents.js'

/** What a top-level `const` of a file of src/ is: a number, a text or a list that its line writes out. */
export function constantOf(file: string, name: string): unknown {
  const source = read(`src/${file}`)
  const [, text] =
    new RegExp(`^(?:export )?const ${name} = (.+?)(?: as const)?(?: //.*)?$`, 'm').exec(source) ?? []
  if (text === undefined) throw new Error(`there is no ${name} in ${file}`)
  return new Function(`return ${text}`)() as unknown
}

/** What a directive of a file of nginx's configuration says, as it is written. */
export function directiveOf(file: string, name: string): string {
  const [, text] = new RegExp(`^ *${name} +([^;]+);`, 'm').exec(read(file)) ?? []
  if (text === undefined) throw new Error(`there is no ${name} in ${file}`)
  return text
}
