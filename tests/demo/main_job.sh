#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# main_job.sh BUILD_DIR [TREE]: hashes and counts every file below TREE with a pool of worker processes and
# compares with what sha256sum and wc say, line by line. Exit status 0 only if both are identical.
# TREE is /usr/share/doc, or the next best tree if that has no files.
set -euo pipefail
export LC_ALL=C
build=$(cd "${1:?usage: main_job.sh BUILD_DIR [TREE]}" && pwd)
mproc=$build/src/cli/mproc
module=$build/tests/demo/mproc_demo.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

for tree in ${2:+"$2"} /usr/share/doc /usr/share /etc /usr/bin; do
  # A name with a line break cannot travel one a line.
  find "$tree" -xdev -type f -readable -not -name '*
*' -print0 2>/dev/null | sort -z >paths0 || true
  tr '\0' '\n' <paths0 >paths
  [ -s paths ] && break
done
[ -s paths ] || { echo "main job: no readable file below $tree" >&2; exit 1; }

now() { date +%s%N; }
took() { awk -v ns=$(($2 - $1)) 'BEGIN { printf "%.2f s", ns / 1e9 }'; }

# ours FUNCTION, theirs FUNCTION: one result line per path, in the order of the paths.
ours() { "$mproc" map "$module" "$1" <paths; }
theirs() {
  case $1 in
    sha256) xargs -0 sha256sum -- <paths0 | sed 's/^\\//; s/ .*//' ;;
    # The paths are absolute, so a last field "total" alone is wc's own sum.
    wc) xargs -0 wc -- <paths0 | awk '!(NF == 4 && $4 == "total") { print $1, $2, $3 }' ;;
  esac
}

printf 'main job: %d files, %s below %s\n' "$(wc -l <paths)" "$(du -ch --files0-from=paths0 | tail -n 1 | cut -f1)" "$tree"
"$mproc" info 2>/dev/null | sed 's/^/  /' || true
status=0
for function in sha256 wc; do
  t0=$(now)
  ours "$function" >"$function.ours" || status=1
  t1=$(now)
  theirs "$function" >"$function.theirs" || status=1
  t2=$(now)
  printf '%s: first results\n' "$function"
  paste -d ' ' "$function.ours" paths | sed -n '1,3s/^/  /p'
  printf '%s: mproc map took %s, %s %s\n' "$function" "$(took "$t0" "$t1")" \
    "$([ $function = wc ] && echo wc || echo sha256sum)" "$(took "$t1" "$t2")"
  if cmp -s "$function.ours" "$function.theirs"; then
    printf '%s: identical\n' "$function"
  else
    status=1
    printf '%s: DIFFERENT, first lines (ours <, theirs >)\n' "$function"
    diff "$function.ours" "$function.theirs" | head -n 6 || true
  fi
done
[ $status = 0 ] && echo "main job: done, all identical" || echo "main job: FAILED"
exit $status
