// The script of all pages. Without it everything can be read. It puts the server's address into commands, adds buttons
// that copy them, and searches on an owner's page. It makes texts only, never HTML.

export const SEARCH_SCRIPT = String.raw`'use strict'
;(() => {
  const MOST_SHOWN = 100
  const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

  for (const place of document.querySelectorAll('[data-plinth]')) place.textContent = location.origin
  for (const note of document.querySelectorAll('[data-plinth-note]')) note.hidden = true

  // Browsers have a clipboard on https and on this machine only.
  if (navigator.clipboard)
    for (const command of document.querySelectorAll('.command')) {
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = 'Copy'
      button.addEventListener('click', () => {
        const said = (text) => {
          button.textContent = text
          setTimeout(() => (button.textContent = 'Copy'), 2000)
        }
        const text = command.querySelector('code').textContent + '\n'
        navigator.clipboard.writeText(text).then(() => said('Copied'), () => said('Not copied'))
      })
      command.append(button)
    }

  const form = document.querySelector('form[data-index]')
  if (!form) return
  const field = form.querySelector('input')
  const found = document.getElementById('found')
  const results = document.getElementById('results')
  const recent = document.getElementById('recent')

  // Control characters and what reorders a text, as the pages show them.
  const shown = (text) =>
    String(text).replace(UNSEEN, (char) => '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0'))

  const add = (parent, name, className, text) => {
    const element = document.createElement(name)
    element.className = className
    if (text !== undefined) element.textContent = shown(text)
    parent.append(element)
    return element
  }

  // A capital letter of a module's path is ! and the small one, as in the addresses of the GOPROXY protocol.
  const addressOf = ({ kind, name }) => {
    const path = kind === 'go' ? name.replace(/[A-Z]/g, (letter) => '!' + letter.toLowerCase()) : name
    const escaped = path.split('/').map(encodeURIComponent).join('/')
    return form.dataset.pages + kind + '/' + escaped.replaceAll('%40', '@').replaceAll('%2B', '+')
  }

  const show = ({ kind, name, versions, latest, updated, synopsis, deprecated }, address) => {
    const item = document.createElement('li')
    add(item, 'a', 'name', name).href = address
    if (deprecated) item.append(' ')
    if (deprecated) add(item, 'strong', 'tag bad', 'deprecated')
    if (synopsis) add(item, 'p', 'synopsis', synopsis)
    const count = versions + (versions === 1 ? ' version' : ' versions')
    const what = kind === 'go' ? 'Go module' : 'Files'
    const meta = add(item, 'p', 'meta', [what, latest, count, ''].join(' · '))
    add(meta, 'time', '', updated.slice(0, 10)).dateTime = updated
    return item
  }

  let catalogue
  const load = async () => {
    // Not a relative address: it would have the credentials of the page's own address, and fetch refuses these.
    const answer = await fetch(location.origin + form.dataset.index)
    if (!answer.ok) throw new Error(answer.statusText)
    const { packages } = await answer.json()
    return packages.map((entry) => {
      const name = entry.name.toLowerCase()
      return { entry, name, text: name + '\n' + (entry.synopsis || '').toLowerCase() }
    })
  }

  // First a package of that name, then those whose names have all words, then those whose synopsis has some of them.
  const matching = (packages, query) => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const whole = words.join(' ')
    const ranks = [[], [], []]
    for (const { entry, name, text } of packages) {
      if (!words.every((word) => text.includes(word))) continue
      const isName = name === whole || name.endsWith('/' + whole)
      ranks[isName ? 0 : words.every((word) => name.includes(word)) ? 1 : 2].push(entry)
    }
    return ranks.flat()
  }

  const countOf = (matches, all) => {
    const number = (count) => count.toLocaleString('en')
    if (matches === 0) return 'None of ' + number(all) + ' packages has all these words.'
    const of = number(matches) + ' of ' + number(all) + ' packages'
    return matches > MOST_SHOWN ? of + ', the first ' + MOST_SHOWN + ' are shown.' : of + '.'
  }

  const search = async () => {
    const asked = field.value
    const failed = 'The list of packages could not be loaded.'
    const packages = asked.trim() === '' ? undefined : await (catalogue ||= load()).catch(() => failed)
    if (packages === failed) catalogue = undefined // the next letter tries again
    if (field.value !== asked) return // a later search is under way
    const has = Array.isArray(packages)
    recent.hidden = has
    results.hidden = !has
    const matches = has ? matching(packages, asked) : []
    results.replaceChildren(...matches.slice(0, MOST_SHOWN).map((entry) => show(entry, addressOf(entry))))
    found.textContent = has ? countOf(matches.length, packages.length) : packages || ''
  }

  // Some browsers refuse to be told of each letter. The new address is a relative one: where the page was opened with
  // credentials in its address, one without them is refused.
  let keeping
  const keep = () => {
    clearTimeout(keeping)
    const url = new URL(location.href)
    if (field.value.trim() === '') url.searchParams.delete('q')
    else url.searchParams.set('q', field.value)
    if (url.href !== location.href) history.replaceState(null, '', './' + url.search + url.hash)
  }

  field.addEventListener('input', () => {
    clearTimeout(keeping)
    keeping = setTimeout(keep, 300)
    search()
  })
  addEventListener('pagehide', keep)
  results.addEventListener('click', keep)

  const links = () => [...results.querySelectorAll('a')]
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    links()[0]?.focus()
  })
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const at = links().indexOf(document.activeElement)
    const inField = document.activeElement === field
    if (event.key === '/' && !inField) field.focus()
    else if (event.key === 'Escape' && at >= 0) field.focus()
    else if (event.key === 'ArrowDown' && (inField || at >= 0)) links()[at + 1]?.focus()
    else if (event.key === 'ArrowUp' && at >= 0) (at === 0 ? field : links()[at - 1]).focus()
    else return
    event.preventDefault()
  })

  form.hidden = false
  field.value ||= new URL(location.href).searchParams.get('q') || ''
  search()
})()
`
