#!/bin/bash
# Runs a test of the address sanitizer's build: again_if_tracer_crashed.sh COMMAND [ARGUMENT...]
#
# At exit the leak check stops all threads and reads their storage. A driver's thread that is just ending makes that
# check itself crash now and then ("Tracer caught signal 11", github.com/google/sanitizers/issues/1353), after the test
# has passed: no verdict, neither a leak nor none. Only then is the test run again, at most twice; whatever else a run
# says, a leak report too, is its result.
set -uo pipefail
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
for attempt in 1 2 3; do
  "$@" 2>&1 | tee "$output"
  code=${PIPESTATUS[0]}
  if [ "$code" -eq 0 ] || [ "$code" -eq 77 ] || ! grep -q '^Tracer caught signal' "$output"; then exit "$code"; fi
  echo "the leak check crashed, attempt $attempt of 3"
done
exit "$code"
