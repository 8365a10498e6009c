#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh BUILD SECONDS: runs every fuzzer of the build for so long, two side by side, each from a copy of its
# corpus and within bounds of memory and time for one input. $FUZZ_SEED makes a run the same as another one.
# What made one fail is kept in BUILD/fuzz-failures and shown. The last line is 'N passed, N failed'.
set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" || exit 1
build=$1 seconds=$2
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=$build/fuzz-failures
mkdir -p "$failures"

# fuzz NAME : runs one fuzzer; its output goes to a file, how it ended to another one.
fuzz() {
  local name=$1 status=0
  cp -r "corpus/$name" "$work/$name"
  timeout -k 10 $((seconds * 2 + 120)) "$build/tests/fuzz/fuzz-$name" "-max_total_time=$seconds" \
    "-seed=${FUZZ_SEED:-0}" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=256 -max_len=4096 -print_final_stats=1 \
    "-artifact_prefix=$failures/$name-" "$work/$name" >"$work/$name.log" 2>&1 </dev/null || status=$?
  echo $status >"$work/$name.status"
}

names=()
for program in "$build"/tests/fuzz/fuzz-*; do
  [ -f "$program" ] && [ -x "$program" ] && names+=("${program##*/fuzz-}")
done
for name in "${names[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  fuzz "$name" &
done
wait

passed=0 failed=0
for name in "${names[@]}"; do
  status=$(cat "$work/$name.status")
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
  if [ "$status" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
    passed=$((passed + 1))
    echo "ok      $name, $runs runs"
  else
    failed=$((failed + 1))
    echo "FAILED  $name, exit status $status"
    grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD|INITED)' "$work/$name.log" | tail -n 60
    ls -l "$failures/$name"-* 2>/dev/null
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
