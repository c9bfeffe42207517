#!/bin/bash
# Tests and measures Portico on this machine. Installs nothing and writes to the results folder only.
#
#   run.sh [--backend NAME] [--only REGEX] [--out FOLDER] test|bench|train|sanitize [options]
#
#   test       every test program; exit code 1 when one fails
#   bench      portico-bench --suite quick; options are handed on (--suite full --time 3600, --benchmark_filter=gemm)
#   train      portico-train, two epochs of a CNN; options are handed on (--epochs 5)
#   sanitize   the test programs under NVIDIA's compute-sanitizer, where it is installed (cuda only)
#
#   --backend NAME   cuda, hip or opencl (with :index if wanted); default: the first of them that has a device
#   --only REGEX     of the test programs those whose name matches
#   --out FOLDER     default: results in the current folder. Per verb <verb>.json, the logs and a summary.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }
fail() {
  echo "error: $*" >&2
  exit 1
}

backend="" only=. out=results verb=""
while [ $# -gt 0 ]; do
  case $1 in
    --backend) backend=${2:?} && shift ;;
    --only) only=${2:?} && shift ;;
    --out) out=${2:?} && shift ;;
    --help | -h) usage; exit 0 ;;
    test | bench | train | sanitize) verb=$1 && shift && break ;;
    *) fail "$1: see --help" ;;
  esac
  shift
done
[ -n "$verb" ] || { usage >&2; exit 2; }
mkdir -p "$out" || fail "cannot make $out"
out=$(cd "$out" && pwd)

# The machine's own C++ runtime unless it is older than what this was built with.
if ! "$here/bin/portico-info" >/dev/null 2>"$out/start.log"; then
  export LD_LIBRARY_PATH="$here/lib/fallback${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  "$here/bin/portico-info" >/dev/null 2>"$out/start.log" || fail "portico-info does not start: $(head -n1 "$out/start.log")"
fi
"$here/bin/portico-info" >"$out/info.txt"

# The first backend of the report that is usable: its line reads "cuda: 1 device".
usable() { grep -qE "^$1: [0-9]+ device" "$out/info.txt"; }
if [ -z "$backend" ]; then
  for name in cuda hip opencl; do
    usable "$name" && { backend=$name; break; }
  done
  [ -n "$backend" ] || { cat "$out/info.txt"; fail "no backend has a device"; }
elif ! usable "${backend%%:*}"; then
  cat "$out/info.txt"
  fail "backend $backend cannot be used here"
fi
device=$(grep -m1 -E "^  ${backend%%:*}:" "$out/info.txt" | sed 's/^  //')
export PORTICO_BACKEND=$backend PORTICO_REQUIRE_BACKEND=1 PORTICO_CACHE_DIR="$out/cache"
echo "$verb on $device"

quoted() { printf '"%s"' "$(printf %s "$1" | tr '\n\t' '  ' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }
items="" passed=0 failed=0 skipped=0

# run NAME COMMAND...: one line of the summary and one item of the JSON. 77 is a test's way to say that it does not apply.
run() {
  local name=$1 start end code result
  shift
  start=$(date +%s.%N)
  timeout "${PORTICO_TEST_TIMEOUT:-1200}" "$@" >"$out/$name.log" 2>&1
  code=$?
  end=$(date +%s.%N)
  case $code in
    0) result=passed && passed=$((passed + 1)) ;;
    77) result=skipped && skipped=$((skipped + 1)) ;;
    *) result=failed && failed=$((failed + 1)) ;;
  esac
  local seconds
  seconds=$(awk "BEGIN { printf \"%.2f\", $end - $start }")
  printf '%-8s %8s s  %s\n' "$result" "$seconds" "$name" | tee -a "$out/$verb.txt"
  [ $code -eq 0 ] || [ $code -eq 77 ] || tail -n 12 "$out/$name.log" | sed 's/^/    /'
  items+="${items:+,}
    {\"name\": $(quoted "$name"), \"result\": \"$result\", \"code\": $code, \"seconds\": $seconds}"
}

finish() {
  cat >"$out/$verb.json" <<END
{
  "verb": "$verb",
  "backend": $(quoted "$backend"),
  "device": $(quoted "$device"),
  "bundle": $(quoted "$(cat "$here/VERSION")"),
  "date": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
  "passed": $passed, "failed": $failed, "skipped": $skipped,
  "items": [$items
  ]
}
END
  echo "$passed passed, $failed failed, $skipped skipped; $out/$verb.json" | tee -a "$out/$verb.txt"
  [ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
}

test_programs() {
  ls "$here/bin" | grep -vE '^portico-' | grep -E "$only"
}

: >"$out/$verb.txt"
case $verb in
  test)
    for name in $(test_programs); do
      if [ "$name" = "${name#0}" ]; then export PORTICO_DEBUG=1; else unset PORTICO_DEBUG; fi  # examples run as users run them
      case $name in *_cnn) set -- "$here/data" ;; *) set -- ;; esac
      run "$name" "$here/bin/$name" "$@"
    done
    ;;
  bench)
    rm -f "$out/rows.json"
    [ $# -gt 0 ] || set -- --suite quick --devices "$backend"
    run portico-bench "$here/bin/portico-bench" "$@" --benchmark_out="$out/rows.json" --benchmark_out_format=json
    [ -s "$out/rows.json" ] || fail "bench: no row matches $*"
    "$here/bin/portico-bench" report "$out/rows.json" --markdown -o "$out/rows.md" >/dev/null 2>&1 &&
      echo "figures: $out/rows.json, $out/rows.md"
    ;;
  train)
    [ $# -gt 0 ] || set -- --epochs 2
    run portico-train "$here/bin/portico-train" --data "$here/data" --save "$out/model.safetensors" \
      --picture "$out/training.png" "$@"
    tail -n 3 "$out/portico-train.log"
    ;;
  sanitize)
    case $backend in cuda*) ;; *) fail "sanitize: there is no such tool for $backend" ;; esac
    tool=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | tail -n1)
    [ -n "$tool" ] || fail "sanitize: compute-sanitizer is not installed (it comes with the CUDA toolkit)"
    [ "$only" != . ] || only='^(ops_(matmul|conv|reduce|softmax|pointwise|loss|pool)_test|optim_update_test|nn_layers_test)$'
    for check in memcheck racecheck initcheck synccheck; do
      for name in $(test_programs); do
        run "$check-$name" "$tool" --tool "$check" --error-exitcode 9 "$here/bin/$name"
      done
    done
    ;;
esac
finish
