// The style of what pages are made of: lists of packages, search, commands, tables, READMEs.

export const PARTS_STYLE = `.tag {
  padding: 0.05rem 0.4rem;
  border: 1px solid currentColor;
  border-radius: 0.25rem;
  font-size: 0.8125rem;
  font-weight: 400;
  color: var(--good);
  white-space: nowrap;
}
.tag.bad {
  color: var(--warn-ink);
  background: var(--warn-paper);
}
.notice {
  padding: 0.75rem 1rem;
  border: 1px solid var(--warn-rule);
  border-left-width: 0.5rem;
  background: var(--warn-paper);
  color: var(--warn-ink);
}

.list li {
  padding: 0.75rem 0;
  border-top: 1px solid var(--rule);
}
.list p {
  margin: 0.125rem 0 0;
}
.list .name {
  font-weight: 600;
}
.names li {
  padding: 0.25rem 0;
}
.versions {
  columns: 11rem;
}

.search label {
  display: block;
  font-weight: 600;
}
.search input {
  width: 100%;
  max-width: 36rem;
  padding: 0.5rem 0.75rem;
  font: inherit;
  color: inherit;
  background: var(--paper);
  border: 1px solid var(--dim);
  border-radius: 0.25rem;
}
.search .note {
  margin: 0.375rem 0;
  min-height: 1.55em;
}
.search ~ section h2 {
  margin-top: 0.75rem;
}

code, pre {
  font-family: var(--mono);
  font-size: 0.875rem;
}
pre {
  padding: 0.75rem 1rem;
  background: var(--code);
  border-radius: 0.25rem;
  overflow-x: auto;
  overflow-wrap: normal;
  line-height: 1.5;
  tab-size: 4;
}
pre code {
  font-size: inherit;
}
.command pre, pre.wrap, pre.plain {
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}
.command {
  display: flex;
  align-items: flex-start;
  gap: 0.5rem;
  margin: 0.75rem 0;
}
.command pre {
  flex: 1;
  min-width: 0;
  margin: 0;
}
.command button {
  min-width: 6.5rem;
  padding: 0.3rem 0.75rem;
  font: inherit;
  font-size: 0.875rem;
  line-height: 1.5;
  color: var(--link);
  background: none;
  border: 1px solid var(--rule);
  border-radius: 0.25rem;
  cursor: pointer;
}

table {
  border-collapse: collapse;
  width: 100%;
}
caption {
  text-align: start;
  padding-bottom: 0.25rem;
}
th, td {
  padding: 0.375rem 1rem 0.375rem 0;
  text-align: start;
  vertical-align: top;
  border-top: 1px solid var(--rule);
}
th:last-child, td:last-child {
  padding-right: 0;
}
thead th {
  border: 0;
  color: var(--dim);
  font-size: 0.875rem;
  font-weight: 400;
}
tbody th {
  font-weight: 400;
}
thead th, time, data {
  white-space: nowrap;
}
.hash {
  display: block;
  color: var(--dim);
  font-size: 0.8125rem;
}

details {
  margin: 0.75rem 0;
}
summary {
  cursor: pointer;
}
dd {
  margin: 0 0 0.5rem;
}

.readme img {
  max-width: 100%;
  height: auto;
}
.readme blockquote {
  margin-inline: 0;
  padding-inline-start: 1rem;
  border-inline-start: 0.25rem solid var(--rule);
  color: var(--dim);
}
.readme hr {
  border: 0;
  border-top: 1px solid var(--rule);
}
.scroll {
  overflow-x: auto;
}
.scroll table {
  width: auto;
  overflow-wrap: normal;
}
.center {
  text-align: center;
}
.right {
  text-align: right;
}

.contents ul {
  display: flex;
  flex-wrap: wrap;
  gap: 0 1rem;
  margin: 0.75rem 0;
  font-size: 0.9375rem;
}

/* A phone has no room for a button beside a command. */
@media (max-width: 40rem) {
  .command {
    flex-direction: column;
    align-items: stretch;
    gap: 0.25rem;
  }
  .command pre {
    flex: none;
  }
  .command button {
    align-self: end;
  }
  th, td {
    padding-right: 0.75rem;
    font-size: 0.9375rem;
  }
}

@media (min-width: 60rem) {
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 10rem;
    gap: 3rem;
  }
  .columns > div {
    grid-column: 1;
    grid-row: 1;
  }
  .columns > .contents {
    grid-column: 2;
    grid-row: 1;
  }
  .contents ul {
    position: sticky;
    top: 1rem;
    display: block;
    margin-top: 2rem;
  }
}
`
