#!/bin/bash
# run_example.sh PROGRAM [START]: runs an example; its last line must begin with START ("shown: "), and nothing may go to
# stderr. Exits with 77 (skipped) where the backend of PORTICO_BACKEND has no device.
set -u
program=$1
start=${2:-shown: }
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
output=$("$program" 2>"$errors")
code=$?
printf '%s\n' "$output"
cat "$errors" >&2
if [ $code -ne 0 ] && grep -q "^error: backend ${PORTICO_BACKEND:-none}: " "$errors" && [ "${PORTICO_REQUIRE_BACKEND:-0}" != 1 ]; then
  exit 77
fi
[ $code -eq 0 ] || { echo "exit code $code" >&2; exit 1; }
[ ! -s "$errors" ] || { echo "something was said on stderr" >&2; exit 1; }
case $(printf '%s\n' "$output" | tail -n1) in
  "$start"*) ;;
  *) echo "the last line does not begin with '$start'" >&2; exit 1 ;;
esac
