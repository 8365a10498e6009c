# SPDX-License-Identifier: MIT
# Sourced by run.sh: other languages open the installed library, which knows nothing of them; a module in C,
# made with the installed headers, has the functions. The examples of docs/examples submit, wait, and see a
# task crash.
example() {  # COMMAND... : what it prints
  env MPROC_LIBRARY="$libdir/libmproc.so.0" "$@" "$work/example.so" >"$work/example" || return 1
  [ "$(wc -l <"$work/example")" = 3 ] && grep -qx '1000 squares, sum 333833500' "$work/example" &&
    grep -qxE 'MPROC_ERROR_WORKER_LOST worker [0-9]+ .* was ended by signal 6 .*' "$work/example" &&
    grep -qx 'and the pool goes on: 144' "$work/example" || { cat "$work/example"; return 1; }
}

examples=$here/../../docs/examples
check 'module of the examples' "$cc" -std=c11 "${strict[@]}" "${cflags[@]}" -fPIC -shared "$examples/module.c" \
  -o "$work/example.so"
for language in "python3 $examples/ctypes_pool.py" "luajit $examples/luajit_pool.lua"; do
  if command -v "${language%% *}" >/dev/null; then
    check_quiet "${language%% *}" example "${language%% *}" "${language#* }"
  else
    skip "${language%% *}" "it is not installed"
  fi
done
