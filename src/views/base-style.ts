// The ground of the style sheet: one column of text, in the fonts of the reader's system, light or dark as it is.

export const BASE_STYLE = `:root {
  color-scheme: light dark;
  --paper: #fdfdfb;
  --ink: #1c1e21;
  --dim: #585d63;
  --link: #0b559f;
  --rule: #dcddd8;
  --code: #f3f3ef;
  --good: #1d6335;
  --warn-ink: #6d1a10;
  --warn-paper: #fdeeea;
  --warn-rule: #c23a28;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace;
}

@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a;
    --ink: #e2e4e6;
    --dim: #a2a8ae;
    --link: #8bbcf2;
    --rule: #34383d;
    --code: #1e2125;
    --good: #86cf9e;
    --warn-ink: #f8cac1;
    --warn-paper: #341915;
    --warn-rule: #e0634f;
  }
}

* {
  box-sizing: border-box;
}

[hidden] {
  display: none !important;
}

html {
  font: 100%/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif;
  background: var(--paper);
  color: var(--ink);
  scroll-padding-top: 1rem;
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}

body {
  margin: 0 auto;
  padding: 0 1.25rem;
  max-width: 64rem;
  overflow-wrap: anywhere;
}

/* Texts of strangers must not change the order of what stands beside them. */
a, code, pre, h1, h2, h3, h4, h5, h6, p, li, dt, dd, td, th, .tag, .version, .why {
  unicode-bidi: isolate;
}
.readme :is(p, li, h3, h4, h5, h6, td, th), pre.plain, .synopsis, dd, .why {
  unicode-bidi: plaintext;
}

a {
  color: var(--link);
  text-decoration-thickness: 1px;
  text-underline-offset: 0.15em;
}
nav a, .list a, .names a, .versions a, tbody th > a {
  text-decoration: none;
}
a:hover {
  text-decoration: underline 2px;
}
:focus-visible {
  outline: 3px solid var(--link);
  outline-offset: 2px;
  border-radius: 2px;
}

.skip {
  position: absolute;
  left: 1rem;
  top: -4rem;
  padding: 0.5rem 1rem;
  background: var(--paper);
  z-index: 1;
}
.skip:focus {
  top: 0.5rem;
}

nav ul, nav ol, ul.list, ul.names, ul.versions {
  list-style: none;
  margin: 0;
  padding: 0;
}

header {
  padding: 1rem 0;
  border-bottom: 1px solid var(--rule);
}
header ol {
  display: flex;
  flex-wrap: wrap;
}
header li:not(:last-child)::after {
  content: '/';
  font-weight: 400;
  padding: 0 0.5rem;
  color: var(--dim);
}
header li:first-child {
  font-weight: 600;
}

main {
  padding: 1.5rem 0 3rem;
}
footer {
  padding: 1rem 0 2rem;
  border-top: 1px solid var(--rule);
  font-size: 0.875rem;
}
footer ul {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem 1.5rem;
}

h1, h2, h3, h4, h5, h6 {
  line-height: 1.25;
  margin: 2rem 0 0.5rem;
}
h1 {
  font-size: 1.625rem;
  margin: 0 0 0.25rem;
}
h2 {
  font-size: 1.25rem;
}
h3 {
  font-size: 1.125rem;
}
h4, h5, h6 {
  font-size: 1rem;
}
p, ul, ol, dl, pre, table, blockquote {
  margin: 0.75rem 0;
}
li > :is(ul, ol) {
  margin: 0.25rem 0;
}
.meta, .note, caption, summary, .why {
  color: var(--dim);
}
.meta, .note, caption {
  font-size: 0.9375rem;
}
.version {
  color: var(--dim);
  font-weight: 400;
}
`
