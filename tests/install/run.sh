#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh PREFIX: builds programs and a module against the library installed in PREFIX, in each way that users
# have, and runs them; then the installed tool, and the library as a subproject of somebody else's project.
# The last line is 'N passed, N failed' and, where a tool is missing, the number of skipped tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(cd "${1:?usage: run.sh PREFIX}" && pwd)
cc=${CC:-cc} cxx=${CXX:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MPROC_WORKER LD_LIBRARY_PATH
. "$here/count.sh"

pc=$(find "$prefix" -name mproc.pc)
[ -n "$pc" ] || { echo "no mproc.pc below $prefix"; exit 1; }
export PKG_CONFIG_PATH=${pc%/*}
libdir=$(pkg-config --variable=libdir mproc)
read -ra cflags <<<"$(pkg-config --cflags mproc)"
read -ra libs <<<"$(pkg-config --libs mproc)"
libs+=(-Wl,-rpath,"$libdir")
strict=(-Wall -Wextra -Wpedantic -Werror)

# With what pkg-config says.
check 'module, C11' "$cc" -std=c11 "${strict[@]}" "${cflags[@]}" -fPIC -shared "$here/module.c" -o "$work/module.so"
check 'program, C11' "$cc" -std=c11 "${strict[@]}" "${cflags[@]}" "$here/consumer.c" -o "$work/consumer" "${libs[@]}"
check 'program, C++20' "$cxx" -std=c++20 "${strict[@]}" "${cflags[@]}" "$here/consumer.cc" -o "$work/consumer++" \
  "${libs[@]}"
check_counted 'program in C' "$work/consumer" "$work/module.so"
check 'pkg-config says the version' test "$(pkg-config --modversion mproc)" = "$(sed -n 's/^libmproc //p' "$work/log")"
check 'pkg-config says where the worker is' test -x "$(pkg-config --variable=worker mproc)"
check 'pkg-config, moved' test "$(pkg-config --define-variable=prefix=/moved --variable=worker mproc)" = \
  /moved/libexec/mproc/mproc-worker
check_counted 'program in C++' "$work/consumer++"
check 'manual page of mproc-worker' test -n "$(find "$prefix" -path '*/man1/mproc-worker.1*')"

if [ -x "$prefix/bin/mproc" ]; then
  check 'installed tool: info' "$prefix/bin/mproc" info
  check 'installed tool: map' test "$(printf 'abc\n' | "$prefix/bin/mproc" map "$work/module.so" add | wc -c)" -ge 8
  check 'installed tool: manual page' test -n "$(find "$prefix" -path '*/man1/mproc.1*')"
fi

. "$here/languages.sh"
. "$here/cmake.sh"
. "$here/subproject.sh"
finish
