// What must not be in any page of a Plinth, whatever strangers wrote into its packages.

import type { Page } from 'playwright-core'

// Our own elements are named one by one: what nobody thought of is found.
const HARM = `(() => {
  const OWN = 'script[src$="/-/search.js"], link[href$="/-/style.css"], link[href$="/-/icon.svg"], ' +
    'link[type="application/atom+xml"], meta[charset], meta[name], form[data-index], #search'
  const ACTIVE = 'script, style, link, meta, base, form, input, textarea, select, iframe, frame, object, embed, ' +
    'applet, portal, img, image, video, audio, source, track, svg, math, template, slot, dialog, marquee'
  const HIDDEN = /[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]/
  const harm = []
  for (const element of document.querySelectorAll('*')) {
    if (element.matches(ACTIVE) && !element.matches(OWN)) harm.push(element.outerHTML)
    for (const { name, value } of element.attributes) {
      if (/^on|^style$|^srcdoc$|^target$|^formaction$|^background$|^ping$/.test(name)) harm.push(element.outerHTML)
      if (HIDDEN.test(value)) harm.push('hidden in ' + name + ' of ' + element.localName)
    }
    if (element.href && !/^(?:https?|mailto):/.test(element.href)) harm.push(element.outerHTML)
  }
  if (HIDDEN.test(document.documentElement.textContent)) harm.push('hidden in the text')
  return harm.map((each) => each.slice(0, 200))
})()`

/** The elements and texts of an opened page that a page of ours never has. */
export const harmIn = (page: Page): Promise<string[]> => page.evaluate(HARM)
