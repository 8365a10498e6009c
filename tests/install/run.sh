#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh PREFIX: builds consumer.c and module.c against the library installed in PREFIX, knowing only what
# pkg-config says, and runs them; then the installed tool. The last line is 'N passed, N failed'.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(cd "${1:?usage: run.sh PREFIX}" && pwd)
cc=${CC:-cc} cxx=${CXX:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() {  # NAME COMMAND... : one test
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $name"
  fi
}

pc=$(find "$prefix" -name mproc.pc)
[ -n "$pc" ] || { echo "no mproc.pc below $prefix"; exit 1; }
export PKG_CONFIG_PATH=${pc%/*}
libdir=$(pkg-config --variable=libdir mproc)
read -ra cflags <<<"$(pkg-config --cflags mproc)"
read -ra libs <<<"$(pkg-config --libs mproc)"
strict=(-Wall -Wextra -Wpedantic -Werror)

check 'module, C11' "$cc" -std=c11 "${strict[@]}" "${cflags[@]}" -fPIC -shared "$here/module.c" -o "$work/module.so"
check 'program, C11' "$cc" -std=c11 "${strict[@]}" "${cflags[@]}" "$here/consumer.c" -o "$work/consumer" \
  "${libs[@]}" -Wl,-rpath,"$libdir"
check 'program, C++20' "$cxx" -std=c++20 -x c++ "${strict[@]}" "${cflags[@]}" - -o "$work/hello" \
  "${libs[@]}" -Wl,-rpath,"$libdir" <<<'#include <mproc/mproc.h>
int main() { return mproc_version_string()[0] == 0; }'
check 'program runs' "$work/hello"
check 'pkg-config says the version' test "$(pkg-config --modversion mproc)" = \
  "$("$work/consumer" "$work/module.so" | sed -n 's/^libmproc //p')"

status=0
"$work/consumer" "$work/module.so" >"$work/output" || status=$?
cat "$work/output"
if read -r p _ f _ < <(tail -n 1 "$work/output" | tr -d , | grep -E '^[0-9]+ passed [0-9]+ failed$'); then
  passed=$((passed + p)) failed=$((failed + f))
  [ "$status" = 0 ] || [ "$f" != 0 ] || failed=$((failed + 1))
else
  echo "failed: the program ended with status $status and no count"
  failed=$((failed + 1))
fi

if [ -x "$prefix/bin/mproc" ]; then
  check 'installed tool: info' "$prefix/bin/mproc" info
  check 'installed tool: map' test "$(printf 'abc\n' | "$prefix/bin/mproc" map "$work/module.so" add | wc -c)" -ge 8
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
