# SPDX-License-Identifier: MIT
# Sourced by the scripts beside it: tests that are counted.
passed=0 failed=0 skipped=0

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

check_quiet() {  # NAME COMMAND... : one test, whose output is shown only if it fails; in a function, && what must hold
  local name=$1 status=0
  shift
  "$@" >"$work/log" 2>&1 </dev/null || status=$?
  [ $status = 0 ] || cat "$work/log"
  check "$name" [ $status = 0 ]
}

check_fails() {  # NAME TEXT COMMAND... : one test: the command fails and says so
  local name=$1 text=$2 status=0
  shift 2
  "$@" >"$work/log" 2>&1 </dev/null || status=$?
  if [ $status = 0 ] || ! tr -s ' \n' ' ' <"$work/log" | grep -qF -- "$text"; then
    cat "$work/log"
    status=0
  fi
  check "$name" [ $status != 0 ]
}

check_counted() {  # NAME COMMAND... : a program whose last line is 'N passed, N failed'
  local name=$1 status=0 p f
  shift
  "$@" >"$work/log" 2>&1 </dev/null || status=$?
  cat "$work/log"
  if read -r p _ f _ < <(tail -n 1 "$work/log" | tr -d , | grep -E '^[0-9]+ passed [0-9]+ failed$'); then
    passed=$((passed + p)) failed=$((failed + f))
    [ $status = 0 ] || [ "$f" != 0 ] || check "$name: exit status $status" false
  else
    check "$name: ended with status $status and no count" false
  fi
}

skip() {  # NAME REASON
  skipped=$((skipped + 1))
  echo "skipped: $1: $2"
}

finish() {  # the last line, and the exit status
  local skips=
  [ $skipped = 0 ] || skips=", $skipped skipped"
  echo "$passed passed, $failed failed$skips"
  [ $failed = 0 ]
}
