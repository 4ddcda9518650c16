#!/bin/sh
# Publishes a Go module from a git checkout to a Plinth, for machines without Node. It stands by itself: copy it.
# It needs git 2.30 or newer, curl, tar and awk. `--help` says the rest.
#
# The zip gets the content that go itself would give it (golang.org/x/mod/zip): no nested modules, no vendored packages,
# no links, no submodules, the root's LICENSE for a sub-directory, files as committed whatever export-ignore and
# export-subst say. What these few tools cannot tell is refused here, or by the server, which checks every rule.
set -eu
LC_ALL=C TZ=UTC0
export LC_ALL TZ
newline='
'
# set in hooks, and relative to another folder
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
unset GIT_NAMESPACE GIT_SHALLOW_FILE GIT_GRAFT_FILE GIT_ATTR_SOURCE CDPATH
# An object that is missing is not fetched: that would run programs that the repository's settings name.
GIT_NO_LAZY_FETCH=1 GIT_ALLOW_PROTOCOL=none
export GIT_NO_LAZY_FETCH GIT_ALLOW_PROTOCOL

usage() {
  cat <<'END'
usage: publish-module.sh [-n] [-c COMMIT] [-o FILE] [DIR] VERSION

Packs the module in DIR (default .) of a git checkout and uploads it. Packed is the commit of the version's tag, or
COMMIT, or HEAD where there is no tag. A tag such as sub/v1.2.3 may stand for both words.

  -c COMMIT   this commit
  -n          do not upload; list what goes in (what is left out is told anyway)
  -o FILE     do not upload; write the zip to FILE

PLINTH_URL           the address of the Plinth: https://plinth.example.com
PLINTH_OWNER         whose package it will be
PLINTH_TOKEN         the token; without it ~/.netrc, or the file that NETRC names
PLINTH_ACCOUNT       the token's account, where the owner is private
PLINTH_ALLOW_HTTP=1  lets the token go over plain http to other machines
SSL_CERT_FILE        certificates to trust instead of the system's

Exit code: 0 published, or there with the same bytes; 1 refused or failed; 2 wrong usage.
END
}
# Names, settings and answers may hold anything: no control character of theirs gets to a terminal or a log.
plain() { tr -d '\r' | tr -c '\n\t -~' '?'; }
say() { printf 'publish-module: %s\n' "$*" | plain >&2; }
die() { say "$*"; exit 1; }
wrong() { say "$*"; usage >&2; exit 2; }

upload=1 list='' out='' revision='' OPTIND=1
[ "${1-}" != --help ] || { usage; exit 0; }
while getopts c:hno: option; do
  case $option in
    c) revision=$OPTARG ;;
    h) usage; exit 0 ;;
    n) upload='' list=1 ;;
    o) upload='' out=$OPTARG ;;
    *) wrong 'there is no such option' ;;
  esac
done
shift $((OPTIND - 1))
case $# in
  1)
    version=${1##*/} dir=.
    [ "$version" = "$1" ] || dir=${1%/*}
    # the folder of a major version is not in its tags
    [ "$dir" = . ] || [ ! -e "$dir/${version%%.*}/go.mod" ] || dir=$dir/${version%%.*}
    ;;
  2) dir=$1 version=$2 ;;
  *) wrong 'a version is wanted, after the folder if that is not this one' ;;
esac
# grep looks at each line by itself, so first: one word of these characters
case $version in *[!0-9A-Za-z.-]*) shape='' ;; *) shape=$version ;; esac
printf '%s\n' "$shape" | grep -Eq '^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?$' ||
  die "'$version' is no version: vMAJOR.MINOR.PATCH is wanted, with an optional -prerelease"
! printf '%s\n' "$version" | grep -Eq '[-.][0-9]{14}-[0-9a-f]{12}$' ||
  die "'$version' is a pseudo-version: plinth publish holds it against its commit, this script does not"

# Where to, before the work. The token stands in no command line, where others could read it, and in the environment of
# no program that runs from here on.
url=${PLINTH_URL-} owner=${PLINTH_OWNER-} token=${PLINTH_TOKEN-} account=${PLINTH_ACCOUNT-} proxy=''
unset PLINTH_TOKEN
if [ -n "$upload" ]; then
  [ -n "$url" ] || die 'PLINTH_URL is not set'
  [ -n "$owner" ] || die 'PLINTH_OWNER is not set'
  url=${url%/}
  host=${url#*://} host=${host%%/*}
  case $host in localhost | localhost:* | 127.0.0.1 | 127.0.0.1:* | '[::1]' | '[::1]:'*) proxy=never ;; esac
  case $url in
    *[!][A-Za-z0-9.:/_~-]*) die 'PLINTH_URL is no address, or has a password in it' ;;
    https://?*) ;;
    http://?*)
      [ -n "$proxy" ] || [ "${PLINTH_ALLOW_HTTP-}" = 1 ] ||
        die "the token would go to $host over plain http: use https, or set PLINTH_ALLOW_HTTP=1"
      ;;
    *) die "PLINTH_URL is no address such as https://plinth.example.com: '$url'" ;;
  esac
  case $owner in . | .. | *[!A-Za-z0-9._-]*) die "PLINTH_OWNER is no owner: '$owner'" ;; esac
  case $token$account in
    *[!!-~]* | *\"* | *\\*) die 'PLINTH_TOKEN or PLINTH_ACCOUNT has characters that none has' ;;
  esac
  case ${NETRC-} in *\"* | *\\* | *"$newline"*) die 'NETRC has a character that curl would not take as it is' ;; esac
  [ -n "$token" ] || [ -r "${NETRC:-$HOME/.netrc}" ] ||
    die "there is no token: set PLINTH_TOKEN, or write a line for $host into ~/.netrc"
fi

# The settings of the checkout may be a stranger's, and core.fsmonitor names a program. Nothing here writes to it.
theirs() { GIT_OPTIONAL_LOCKS=0 git -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"; }
top=$(theirs -C "$dir" rev-parse --show-toplevel)
prefix=$(theirs -C "$dir" rev-parse --show-prefix)
folder=${prefix%/}

# (sub, v1.2.3) → sub/v1.2.3; (sub/v2, v2.0.0) → sub/v2.0.0
major=${version%%.*}
tags=$folder
if [ "$major" != v0 ] && [ "$major" != v1 ] && [ "${folder##*/}" = "$major" ]; then
  tags=${folder%"$major"} tags=${tags%/}
fi
tag=${tags:+$tags/}$version
commit_of() { theirs -C "$top" rev-parse --quiet --verify "$1^{commit}"; }
case $revision in -*) die "there is no commit '$revision'" ;; esac
if [ -n "$revision" ]; then
  commit=$(commit_of "$revision") || die "there is no commit '$revision'"
elif ! commit=$(commit_of "refs/tags/$tag"); then
  commit=$(commit_of HEAD) || die 'nothing is committed here'
  say "there is no tag $tag: HEAD is packed, commit $commit"
fi

temp=$(mktemp -d)
temp=$(cd -- "$temp" && pwd)
trap 'rm -rf "$temp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
case $temp in *"$newline"*) die 'TMPDIR has a newline in it' ;; esac # below, a line is a name

# A repository of our own that borrows the objects: its attributes stand above all others, nobody's settings count, and
# nothing is changed in the checkout.
objects=$(cd -- "$top" && cd -- "$(theirs rev-parse --git-path objects)" && pwd)
format=$(theirs -C "$top" rev-parse --show-object-format)
ours() {
  GIT_DIR="$temp/repo" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1 \
    GIT_LITERAL_PATHSPECS=1 git -c core.fsmonitor=false -c core.autocrlf=input -c core.eol=lf \
    -c core.attributesFile=/dev/null -c core.quotePath=false "$@"
}
ours init --quiet --bare --template= --object-format="$format"
mkdir -p "$temp/repo/info" "$temp/repo/objects/info" "$temp/files"
echo '* -export-subst -export-ignore' >"$temp/repo/info/attributes"
printf '%s\n' "$objects" >"$temp/repo/objects/info/alternates"

ours cat-file blob "$commit:${prefix}go.mod" >"$temp/go.mod" 2>/dev/null || die "commit $commit has no ${prefix}go.mod"
# the module's path, and the version of the go line
words=$(tr -d '\r' <"$temp/go.mod" | awk '
  { sub(/\/\/.*/, "") }
  $1 == "module" && NF == 2 && path == "" { path = $2; gsub(/"/, "", path) }
  $1 == "go" { go = NF == 2 && !lines++ ? $2 : "odd" }
  END { print path, go == "" ? "none" : go }')
module=${words% *} go=${words##* }
case $module in
  '' | *[!A-Za-z0-9._~/-]*) die "the module line of ${prefix}go.mod cannot be read here: plinth publish may" ;;
esac

case $go in *[!0-9A-Za-z.]*) go=odd ;; esac
code=0
# mode type hash size<tab>path → the words for git archive, one a line; what is left out or refused is told
ours ls-tree -r -l "$commit:$folder" >"$temp/tree"
awk -F '\t' -v go="$go" -v root="$module@$version/" -v list="$list" -v quote="'" '
  function vendored(p,  at) {
    if (index(p, "vendor/") == 1) return index(substr(p, 8), "/") > 0 || (since124 && p == "vendor/modules.txt")
    at = index(p, "/vendor/")
    return at > 0 && index(substr(p, since124 ? at + 8 : 9), "/") > 0 # before 1.24 go counts wrong, and so do we
  }
  function leave(p, why) { if (!(p in told)) print "- " p ": " why > "/dev/stderr"; told[p] = 1 }
  function refuse(p, why) { print "publish-module: " p ": " why > "/dev/stderr"; bad = 1 }
  function refused(p,  parts, n, i, above, key, base) {
    if (p ~ /["*:;<>?\\|`]/ || index(p, quote)) { refuse(p, "go takes no file of this name"); return 1 }
    n = split(p, parts, "/")
    for (i = 1; i <= n; i++) {
      base = tolower(parts[i]); sub(/\..*/, "", base)
      if (parts[i] ~ /\.$/ || base ~ /^(con|prn|aux|nul|com[1-9]|lpt[1-9])$/) {
        refuse(p, "go takes no file of this name"); return 1
      }
      above = i == 1 ? parts[1] : above "/" parts[i]
      key = tolower(above)
      if (key in seen && seen[key] != above) { refuse(p, "differs from " seen[key] " in case only"); return 1 }
      seen[key] = above
    }
    if (tolower(p) == "go.mod" && p != "go.mod") { refuse(p, "go.mod files must have lowercase names"); return 1 }
    return 0
  }
  BEGIN {
    odd = go != "none" && go !~ /^[1-9][0-9]*\.[0-9]+(\.[0-9]+|[a-z]+[0-9]+)?$/
    split(go, number, /[^0-9]+/)
    since124 = !odd && go != "none" && (number[1] > 1 || number[2] >= 24)
  }
  {
    split($1, field, / +/)
    mode[NR] = field[1]; size[NR] = field[4]
    path[NR] = $0; sub(/^[^\t]*\t/, "", path[NR])
    slash = match(path[NR], /\/[^\/]*$/)
    if (slash && mode[NR] ~ /^100/ && tolower(substr(path[NR], slash + 1)) == "go.mod")
      nested[substr(path[NR], 1, slash)] = 1
  }
  END {
    for (i = 1; i <= NR; i++) {
      p = path[i]
      if (p ~ /(^|[\/"])\.(\.|git)?([\/"]|$)/) { refuse(p, "git lets nobody commit it"); exit 1 } # tar might obey
      if (odd && p ~ /(^|\/)vendor\//) {
        refuse("go.mod", "its go line decides about vendor, and is odd: plinth publish knows")
        exit 1
      }
      if (vendored(p)) { leave(p, "a vendored package"); continue }
      inside = ""
      for (at = 1; at <= length(p); at++)
        if (substr(p, at, 1) == "/" && substr(p, 1, at) in nested) { inside = substr(p, 1, at); break }
      if (inside != "") { leave(inside, "in another module (it has a go.mod of its own)"); continue }
      if (p == ".hg_archival.txt") { leave(p, "made by hg archive"); continue }
      if (mode[i] == 160000) { leave(p "/", "a git submodule"); continue }
      if (refused(p)) continue
      if (mode[i] == 120000) {
        if (p == "go.mod") refuse(p, "a symbolic link: go would leave it out")
        else leave(p, "a symbolic link")
        continue
      }
      if ((p == "go.mod" || p == "LICENSE") && size[i] > 16777216) refuse(p, "larger than 16 MiB")
      total += size[i]
      if (list) print "+ " p > "/dev/stderr"
      above = p; sub(/[^\/]*$/, "", above)
      print "--prefix=" root above "\n--add-file=" p
    }
    if (total > 524288000) refuse("the module", "larger than 500 MiB")
    exit bad
  }' "$temp/tree" >"$temp/words" 2>"$temp/told" || code=1
plain <"$temp/told" >&2
[ $code = 0 ] || exit 1

ours archive --format=tar -o "$temp/files.tar" "$commit" ${folder:+-- "$folder"}
tar -xf "$temp/files.tar" -C "$temp/files"
rm "$temp/files.tar"
# as go does: the name decides, so a LICENSE that is a link keeps that of the root out
if [ -n "$folder" ] && ! cut -f 2 "$temp/tree" | grep -qx LICENSE &&
  ours ls-tree "$commit" -- LICENSE | grep -q '^[0-9]* blob '; then
  ours cat-file blob "$commit:LICENSE" >"$temp/files/LICENSE" || die 'the LICENSE of the root cannot be read'
  printf '%s\n' "--prefix=$module@$version/" "--add-file=$temp/files/LICENSE" >>"$temp/words"
  [ -z "$list" ] || echo '+ LICENSE (that of the root)' >&2
fi

# `git archive` of a tree writes entries for its folders, with which `go mod verify` fails for everyone; of single files
# it writes none. A commit of nothing, always the same one, gives the zip its time and its comment.
zip=$temp/module.zip
code=0
(
  GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_AUTHOR_DATE='315532800 +0000'
  GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x GIT_COMMITTER_DATE='315532800 +0000'
  export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE
  nothing=$(ours commit-tree -m x "$(ours hash-object -t tree /dev/null)")
  cd "$temp/files/$folder"
  IFS=$newline
  set -f # with it and IFS, each line is one word as it is
  # shellcheck disable=SC2046
  set -- $(cat "$temp/words")
  ours archive --format=zip -o "$zip" "$@" --prefix= "$nothing"
) || code=$?
files=$(($(wc -l <"$temp/words") / 2))
[ $code != 126 ] || die "$files files are too many for git's command line: plinth publish has no such limit"
[ $code = 0 ] || die 'git archive failed'
say "packed $module $version of commit $commit: $files files, $(($(wc -c <"$zip"))) bytes"
[ -z "$out" ] || cp -- "$zip" "$out"
[ -n "$upload" ] || exit 0

sum=''
if command -v sha256sum >/dev/null; then sum=$(sha256sum <"$zip")
elif command -v shasum >/dev/null; then sum=$(shasum -a 256 <"$zip")
elif command -v openssl >/dev/null; then sum=$(openssl dgst -sha256 -r <"$zip")
fi
# request FILE BYTES …: puts the first BYTES of the answer into FILE, and sets `status`, '' when there is no answer.
# The server may be anybody's, and answer without end. Below 100 bytes/s for five minutes curl gives up.
request() {
  into=$1 most=$2
  shift 2
  : >"$temp/head"
  {
    # curl reads the secret from its standard input
    if [ -n "$token" ] && [ -n "$account" ]; then printf 'user = "%s:%s"\n' "$account" "$token"
    elif [ -n "$token" ]; then printf 'header = "Authorization: token %s"\n' "$token"
    elif [ -n "${NETRC-}" ]; then printf 'netrc-file = "%s"\n' "$NETRC"
    else echo netrc
    fi | curl --config - --globoff --silent --show-error --no-location ${proxy:+--noproxy '*'} \
      --connect-timeout 60 --speed-limit 100 --speed-time 300 ${SSL_CERT_FILE:+--cacert "$SSL_CERT_FILE"} \
      --dump-header "$temp/head" "$@" && echo whole >"$temp/ended" || echo cut >"$temp/ended"
  } 2>"$temp/said" | head -c "$most" >"$into"
  # the last of several heads, as after 100 Continue
  status=$(awk '/^HTTP\// { last = $2 + 0 } END { if (last >= 100 && last <= 999) print last }' "$temp/head")
  # curl cannot write what is beyond the bound, and says so
  if [ "$(cat "$temp/ended")" = whole ] || [ $(($(wc -c <"$into"))) -ge "$most" ]; then return 0; fi
  plain <"$temp/said" >&2
  status=''
}
answer() { plain <"$temp/answer" | head -n 40; }
registry=$url/api/packages/$owner/go
request "$temp/answer" 65536 ${sum:+--header "X-Checksum-Sha256: ${sum%% *}"} --upload-file "$zip" "$registry/upload"
case $status in
  '') die "$url cannot be asked" ;;
  200 | 201) answer; exit 0 ;; # 200: it is there already, with the same content
  409) ;;
  3??) die "$url answers $status and sends us elsewhere, which is not followed: the token would go along" ;;
  *) say "$url refused it with $status"; answer >&2; exit 1 ;;
esac
# The same commit gives the same bytes, unless git or its zlib is another one.
escaped=$(printf %s "$module/@v/$version" | sed 's/[A-Z]/!&/g' | tr '[:upper:]' '[:lower:]')
request "$temp/published.zip" $(($(wc -c <"$zip") + 1)) "$registry/$escaped.zip"
if [ "$status" = 200 ] && cmp -s "$zip" "$temp/published.zip"; then
  echo "already published, identical: $module $version"
  exit 0
fi
say "$url refused it with 409, and what is there is not known to be the same"
answer >&2
exit 1
