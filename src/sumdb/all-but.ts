// A GONOSUMDB that means "all modules but these". Pure. go has no such pattern: one is put together from patterns that
// differ from the prefix at each of its characters (golang.org/x/mod/module, MatchPrefixPatterns).

// 'ab.c' → [^a]*,a,a[^b]*,ab,ab[^.]*,ab.,ab.[^c]*,ab.c?*
/** The patterns of every path whose first elements are not those of `prefix`, which is a module path without an end. */
export function allBut(prefix: string): string {
  const patterns: string[] = []
  const elements = prefix.split('/')
  for (const [nth, element] of elements.entries()) {
    const above = elements
      .slice(0, nth)
      .map((each) => `${each}/`)
      .join('')
    for (let at = 0; at < element.length; at++) {
      const same = above + element.slice(0, at)
      if (at > 0) patterns.push(same)
      patterns.push(`${same}[^${element[at]}]*`)
    }
    patterns.push(`${above}${element}?*`)
  }
  return patterns.join(',')
}
