#!/bin/bash
# Which lines of the CUDA and HIP plugins the tests on the stand-in drivers run: builds the plugins once more with counters
# (preset coverage), runs those tests of build/ci on them, and prints a table by gcov. Ends non-zero when a test fails or
# a plugin has less than 90 % of its lines run.
#
#   bash tests/coverage.sh [--lines] [ctest options]
#
#   --lines   also print every line that did not run
#
# build/ci must be built (tests/run.sh does). ctest options choose other tests: -R '^backends' for example.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fail() { echo "error: $*" >&2; exit 1; }
# Those with calls of their own; the operators call the same few slots again and again.
tests='^(plugin_smoke_test|vendor_plugins|standin_late|runtime_.*|graph_.*|(fault_walk|first_use|bad_library)_test|ops_matmul_test|ops_conv_test|optim_update_test|train_.*)/'
lines="" options=(-L '^(cuda|hip)-standin$' -R "$tests")
[ "${1:-}" != --lines ] || { lines=1; shift; }
[ $# -eq 0 ] || options=(-L '^(cuda|hip)-standin$' "$@")

cd "$root" || exit 1
[ -x build/ci/bin/portico-info ] || fail "build/ci is not built: bash tests/run.sh does it"
out="$root/build/coverage"
mkdir -p "$out"
{ cmake --preset coverage && cmake --build build/coverage --target portico_cuda portico_hip &&
  cp build/ci/lib/portico/libportico_opencl.so build/coverage/lib/portico/; } >"$out/build.log" 2>&1 ||
  fail "the build failed: $(grep -m1 -E 'error:|CMake Error' "$out/build.log") (whole log: $out/build.log)"
find "$out/backends" -name '*.gcda' -delete
PORTICO_BACKEND_DIR="$out/lib/portico" PORTICO_TEST_FULL=1 \
  ctest --test-dir build/ci -j "$(nproc)" --output-on-failure "${options[@]}" >"$out/tests.log" 2>&1
code=$?
tail -n 25 "$out/tests.log" | grep -E 'tests passed|Total Test time|No tests|Failed|Timeout'
[ $code -eq 0 ] || fail "tests failed (whole log: $out/tests.log)"

# A header's or a template's line has run when it has in any file that includes it.
for plugin in cuda hip; do
  find "$out/backends/$plugin" -name '*.gcda' -print0 | xargs -0 -r gcov --stdout --relative-only --source-prefix "$root" 2>/dev/null |
    sed "s|^|$plugin:|"
done | awk -F: -v show="$lines" '
  { plugin = $1; count = $2; number = $3 + 0; gsub(/[ *]/, "", count) }
  number == 0 { if ($4 == "Source") file = $5; next }
  file !~ /^backends\// || count == "-" || count == "" { next }
  { key = plugin SUBSEP file SUBSEP number; text[key] = substr($0, index($0, $4)) }
  count ~ /^[0-9]/ { ran[key] = 1 }
  { known[key] = 1; files[file] = 1 }
  END {
    for (key in known) {
      split(key, part, SUBSEP)
      all[part[1], part[2]]++; total[part[1]]++
      if (key in ran) { good[part[1], part[2]]++; hit[part[1]]++ }
      else if (show) missed[++misses] = part[2] ":" sprintf("%04d", part[3]) " [" part[1] "] " text[key]
    }
    printf "%-40s %14s %14s\n", "file", "cuda", "hip"
    order = "sort"
    for (file in files) {
      line = sprintf("%-40s", file)
      for (i = 1; i <= 2; i++) {
        p = i == 1 ? "cuda" : "hip"
        line = line (all[p, file] ? sprintf(" %8s %4.0f%%", good[p, file] + 0 "/" all[p, file], 100 * good[p, file] / all[p, file]) : sprintf(" %14s", "-"))
      }
      print line | order
    }
    close(order)
    printf "%-40s %8s %4.1f%% %8s %4.1f%%\n", "all", hit["cuda"] "/" total["cuda"], 100 * hit["cuda"] / total["cuda"],
      hit["hip"] "/" total["hip"], 100 * hit["hip"] / total["hip"]
    for (i = 1; i <= misses; i++) print missed[i] | order
    close(order)
    exit !(hit["cuda"] >= 0.9 * total["cuda"] && hit["hip"] >= 0.9 * total["hip"])
  }' || fail "less than 90 % of a plugin's lines ran"
