// The style sheet and the script of all pages.

import { Script } from 'node:vm'
import t from 'tap'
import { siteFiles } from '../../src/views/site-files.js'

const textOf = (name: string): string => siteFiles.find((file) => file.name === name)?.text ?? ''

/** WCAG 2: the relative luminance of a colour, #rrggbb. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const contrast = (a: string, b: string): number => {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (lighter + 0.05) / (darker + 0.05)
}

t.test('every text has the contrast of WCAG AA, in light and in dark', async (t) => {
  const [light = '', dark = ''] = textOf('style.css').match(/:root \{[^}]*\}/g) ?? []
  const PAIRS = [
    ['ink', 'paper'],
    ['ink', 'code'],
    ['dim', 'paper'],
    ['dim', 'code'],
    ['link', 'paper'],
    ['link', 'code'],
    ['good', 'paper'],
    ['warn-ink', 'warn-paper'],
  ] as const
  for (const [scheme, rules] of [
    ['light', light],
    ['dark', dark],
  ] as const) {
    const colours = new Map(
      [...rules.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour]),
    )
    for (const [ink, paper] of PAIRS) {
      const is = contrast(colours.get(ink) ?? '#000000', colours.get(paper) ?? '#000000')
      t.ok(is >= 4.5, `${scheme}: ${ink} on ${paper} is ${is.toFixed(2)}`)
    }
  }
})

t.test('no file of the site asks another host', async (t) => {
  for (const { name, text } of siteFiles)
    t.notMatch(text.replace('xmlns="http://www.w3.org/2000/svg"', ''), /\/\/[a-z]|url\(|@import/, name)
})

t.test('the script is a script, and makes no HTML', async (t) => {
  const text = textOf('search.js')
  t.doesNotThrow(() => new Script(text))
  t.notMatch(text, /innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function|srcdoc|DOMParser/)
})
