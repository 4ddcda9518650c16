#!/bin/sh
# Tells the worker of a pkgsite of your own (golang.org/x/pkgsite, what runs pkg.go.dev) which module versions an owner of
# a Plinth has published and deleted since the last time. Run it every minute: it reads the log of versions from the byte
# where it stopped. It needs curl and sed.
#
#   PLINTH=https://plinth.example.com OWNER=team WORKER=http://127.0.0.1:8000 pkgsite-feed.sh FOLDER
#
# FOLDER remembers how far it has read. A private owner needs a line in ~/.netrc. Exit codes: 0 done, 1 the log cannot be
# read, and nothing is remembered, 2 wrong usage.
set -eu

say() { printf 'pkgsite-feed: %s\n' "$*" >&2; }
[ $# = 1 ] && [ -d "${1-}" ] && [ -n "${PLINTH-}" ] && [ -n "${OWNER-}" ] && [ -n "${WORKER-}" ] || {
  say 'usage: PLINTH=URL OWNER=NAME WORKER=URL pkgsite-feed.sh FOLDER'
  exit 2
}
log=${PLINTH%/}/api/packages/$OWNER/-/index.ndjson
from=$(cat "$1/read-so-far" 2>/dev/null || echo 0)
status=$(curl --silent --show-error --netrc-optional --range "$from-" --output "$1/new.ndjson" --write-out '%{http_code}' "$log") ||
  status=none
case $status in
  206) ;;
  416) exit 0 ;; # nothing new
  *) say "$log: $status"; exit 1 ;;
esac

# The line of a delete has one field more. A line that is not whole yet is read the next time.
lines=$(($(wc -l <"$1/new.ndjson"))) # without the spaces of some systems
head -n "$lines" "$1/new.ndjson" >"$1/whole.ndjson"
sed -n 's/^{"Path":"\([^"\\]*\)","Version":"\([^"\\]*\)","Timestamp":"[^"]*"\(.*\)}$/\1 \2 \3/p' "$1/whole.ndjson" |
  while read -r module version deleted; do
    what=fetch
    [ -z "$deleted" ] || what=delete
    # What was deleted since cannot be fetched any more: the worker says so, and the line of the delete follows.
    curl --silent --show-error --fail --max-time 600 "${WORKER%/}/$what/$module/@v/$version" >/dev/null ||
      say "$what $module@$version: the worker has refused it"
  done
echo $((from + $(wc -c <"$1/whole.ndjson"))) >"$1/read-so-far.new"
mv "$1/read-so-far.new" "$1/read-so-far"
