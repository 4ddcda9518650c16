// Folders as people have them, and worse: what pack is held against go on.

/** Path → content; a content that begins with `->` is a symbolic link, `+x ` an executable, `dir` an empty folder. */
export type Shape = {
  name: string
  files: Record<string, string>
  /** The module's folder in the checkout. */
  sub?: string
  version?: string
  /** Also a git submodule in this folder. */
  submodule?: string
  /** Files that are there and not committed. */
  untracked?: Record<string, string>
  /** go's own command cannot be asked: it has rules for repositories that x/mod/zip does not have. */
  notByCommand?: true
  /** x/mod/zip's CreateFromVCS does not do what the go command does. */
  notByVcs?: true
  /** scripts/publish-module.sh leaves it to others. */
  notByScript?: true
  /** What all of them refuse. */
  refused?: true
}

// MODULE is replaced by the module's path
const mod = (go = '1.20'): string => `module MODULE\n\ngo ${go}\n`
const m = 'package m\n'
const plain = { 'go.mod': mod(), 'm.go': m }
const vendor = {
  'vendor/modules.txt': '# x\n',
  'vendor/x.go': m,
  'vendor/a/a.go': m,
  'vendor/a.com/b/c.go': m,
  'pkg/vendor/vendor.go': m,
  'pkg/vendor/foo/foo.go': m,
  'a/vendor/x.go': m,
  'abcdefgh/vendor/x.go': m,
  'é/vendor/x.go': m,
  'vendored/x.go': m,
  'x/vendor': m,
}

export const SHAPES: readonly Shape[] = [
  { name: 'plain', files: plain },
  {
    name: 'folders, a licence, a readme',
    files: { ...plain, LICENSE: 'free', 'a/b/c/d.go': m, 'README.md': '#' },
  },
  { name: 'a nested module', files: { ...plain, 'sub/go.mod': mod(), 'sub/x.go': m, 'subway/x.go': m } },
  {
    name: 'a module in a nested one',
    files: { ...plain, 'a/go.mod': mod(), 'a/b/go.mod': mod(), 'a/b/x.go': m },
  },
  {
    name: 'a deep nested module',
    files: { ...plain, 'a/b/x.go': m, 'a/b/c/go.mod': mod(), 'a/b/c/x.go': m },
  },
  { name: 'nested, in capitals', files: { ...plain, 'sub/GO.MOD': mod(), 'sub/x.go': m } },
  { name: 'nested, an empty go.mod', files: { ...plain, 'sub/go.mod': '', 'sub/x.go': m } },
  { name: 'a nested go.mod that is a link', files: { ...plain, 'sub/go.mod': '->../go.mod', 'sub/x.go': m } },
  { name: 'a folder that is called go.mod', files: { ...plain, 'sub/go.mod/x.txt': m, 'sub/x.go': m } },
  { name: 'vendor, no go line', files: { 'go.mod': 'module MODULE\n', 'm.go': m, ...vendor } },
  ...['1.17', '1.23', '1.23.9', '1.24', '1.24.1', '1.24rc1', '1.26'].map((go) => ({
    name: `vendor, go ${go}`,
    files: { 'go.mod': mod(go), 'm.go': m, ...vendor },
  })),
  {
    name: 'vendor, go lines that are hard to read',
    files: { 'go.mod': 'module MODULE // go 1.20\n\n\tgo   1.24 // go 1.2\n', 'm.go': m, ...vendor },
  },
  {
    name: 'vendor, a go line in a block is none',
    notByScript: true,
    files: { 'go.mod': 'module MODULE\n\nretract (\n\tv0.9.0\n)\n\ngo (\n\t1.24\n)\n', 'm.go': m, ...vendor },
    notByCommand: true,
  },
  {
    name: 'vendor, a go line as of old',
    notByScript: true,
    files: { 'go.mod': 'module MODULE\n\ngo v1.24.x\n', 'm.go': m, ...vendor },
    notByCommand: true,
  },
  { name: 'vendor in a nested module', files: { ...plain, 'sub/go.mod': mod(), 'sub/vendor/a/b.go': m } },
  { name: 'a module path in quotes', files: { 'go.mod': 'module "MODULE"\ngo 1.24\n', ...vendor } },
  {
    name: 'a module path in a block',
    notByScript: true,
    files: { 'go.mod': 'module (\n\tMODULE\n)\ngo 1.24\n', ...vendor },
  },
  {
    name: 'links',
    files: { ...plain, l: '->m.go', d: '->a', out: '->/etc/hostname', gone: '->x', 'a/x.go': m },
  },
  {
    name: 'executables and empty files',
    files: { ...plain, 'run.sh': '+x #!/bin/sh\n', empty: '', 'a/empty': '' },
  },
  { name: 'empty folders', files: { ...plain, e: 'dir', 'a/e': 'dir', 'a/x.go': m } },
  { name: 'what hg adds', files: { ...plain, '.hg_archival.txt': 'x', 'sub/.hg_archival.txt': 'x' } },
  {
    name: 'files with a dot',
    files: { ...plain, '.gitignore': '*.out\n', '.github/w.yml': 'x', '.a/.b': 'x' },
  },
  {
    name: 'ignored, but committed or not',
    files: { ...plain, '.gitignore': '*.out\n' },
    untracked: { 'a.out': 'x' },
  },
  {
    name: 'names with letters of all kinds',
    files: { ...plain, 'é.txt': 'x', '日本/x': 'x', 'a b+c,d(e)[f]{g}~h!i#j$k%l&m@n=o^p_q': 'x' },
  },
  { name: 'names that git quotes', files: { ...plain, 'a\tb': 'x' }, refused: true },
  { name: 'a name with a colon', files: { ...plain, 'a:b': 'x' }, refused: true },
  { name: 'a name that Windows keeps', files: { ...plain, 'a/nul.txt': 'x' }, refused: true },
  { name: 'a name that ends in a dot', files: { ...plain, 'a./x': 'x' }, refused: true },
  { name: 'a sign that is no letter', files: { ...plain, '😀.txt': 'x' }, refused: true },
  {
    name: 'bad names where nobody looks',
    files: { ...plain, 'sub/go.mod': mod(), 'sub/a:b': 'x', 'vendor/a/b:c': 'x' },
  },
  { name: 'two cases', files: { ...plain, 'a.txt': 'x', 'A.txt': 'x' }, refused: true },
  { name: 'two cases of a folder', files: { ...plain, 'a/x': 'x', 'A/y': 'x' }, refused: true },
  { name: 'two cases, one a link', files: { ...plain, 'a.txt': 'x', 'A.txt': '->a.txt' }, refused: true },
  {
    name: 'two cases, one in a nested module',
    files: { ...plain, 'a/x': 'x', 'A/x': 'x', 'A/go.mod': mod() },
  },
  { name: 'line ends as they are', files: { ...plain, 'a.txt': 'a\r\nb\r\n', 'b.txt': 'a\nb\n' } },
  { name: 'binary', files: { ...plain, 'a.bin': '\0\u0001\r\n\0'.repeat(9000), big: 'x'.repeat(3_000_000) } },
  {
    name: 'version control folders',
    files: { ...plain, '.svn/x': 'x', 'a/.hg/x': 'x', 'a/.bzr/x': 'x', 'a/.hgx/x': 'x' },
  },
  { name: 'a major version', files: plain, version: 'v2.1.0' },
  { name: 'a pre-release', files: plain, version: 'v1.0.0-RC.1' },
  // what is in a commit
  { name: 'a git submodule', files: { ...plain, 'a/x.go': m }, submodule: 'a/dep' },
  {
    name: 'export-ignore',
    files: {
      ...plain,
      '.gitattributes': 'a.txt export-ignore\nsub export-ignore\n',
      'a.txt': 'x',
      'sub/x.go': m,
    },
    notByVcs: true,
  },
  {
    name: 'export-subst',
    files: { ...plain, '.gitattributes': '* export-subst\n', 'a.txt': '$Format:%H$\n' },
    notByVcs: true,
  },
  { name: 'eol=crlf', files: { ...plain, '.gitattributes': '*.bat text eol=crlf\n', 'a.bat': 'a\nb\n' } },
  {
    name: 'text and ident',
    files: { ...plain, '.gitattributes': '* text=auto\n*.id ident\n', 'a.txt': 'a\nb\n', 'a.id': '$Id$\n' },
  },
  {
    name: 'a filter that is not there',
    files: { ...plain, '.gitattributes': '*.lfs filter=lfs -text\n', 'a.lfs': 'version https://git-lfs' },
  },
  // a module in a sub-directory
  {
    name: 'sub: with the licence of the root',
    sub: 'sub',
    files: { LICENSE: 'root', 'x.go': m, 'sub/go.mod': mod(), 'sub/x.go': m, 'sub2/x.go': m },
  },
  {
    name: 'sub: with a licence of its own',
    sub: 'a/sub',
    files: { LICENSE: 'root', 'a/sub/LICENSE': 'own', 'a/sub/go.mod': mod() },
  },
  {
    name: 'sub: with a licence that is a link',
    sub: 'sub',
    files: { LICENSE: 'root', 'sub/LICENSE': '->../LICENSE', 'sub/go.mod': mod() },
  },
  {
    name: 'sub: the licence of the root is a link',
    sub: 'sub',
    files: { LICENSE: '->COPYING', COPYING: 'x', 'sub/go.mod': mod() },
  },
  {
    name: 'sub: no licence at all',
    sub: 'sub',
    files: { 'LICENSE/x': 'x', 'sub/go.mod': mod(), 'sub/x.go': m },
  },
  {
    name: 'sub: attributes of the root',
    sub: 'sub',
    files: { '.gitattributes': '*.bat eol=crlf\n', 'sub/a.bat': 'a\nb\n', 'sub/go.mod': mod() },
  },
  {
    name: 'sub: odd names',
    sub: 'a [b]*',
    files: { 'a [b]*/go.mod': mod(), 'a [b]*/x.go': m, 'a bb/x.go': m },
    notByCommand: true,
    notByVcs: true,
  },
  {
    name: 'sub: a folder for a major version',
    sub: 'v2',
    version: 'v2.0.0',
    files: {
      'go.mod': 'module example.com/root\n',
      'x.go': m,
      'v2/go.mod': mod(),
      'v2/y.go': m,
      LICENSE: 'root',
    },
  },
]
