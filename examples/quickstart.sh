#!/bin/bash
# Trains a small CNN on Fashion-MNIST from a bare Debian 12: installs what is missing, builds, trains, and leaves a saved
# model and quickstart.png in the current folder. Options are handed on to portico-train: --epochs 1, --help, ...
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/cmake/install_packages.sh"

install_packages "${portico_build_packages[@]}" "${portico_run_packages[@]}" || exit 1

build="$root/build/release"
log="$build/quickstart.log"
mkdir -p "$build" || fail "cannot make the build folder $build"

# What the quickstart does not run is not built, unless this build folder was set up to build it.
quick=()
[ -f "$build/CMakeCache.txt" ] || quick=(-D PORTICO_BUILD_BENCH=OFF -D PORTICO_BUILD_EXAMPLES=OFF)
[ -f "$build/build.ninja" ] || echo "building in $build (a few minutes the first time)"
(cd "$root" && cmake --preset release "${quick[@]}") >"$log" 2>&1 ||
  fail "configuring failed: $(grep -m1 -A1 'CMake Error' "$log" | tr '\n' ' ') (whole log: $log)"
(cd "$root" && cmake --build --preset release) >"$log" 2>&1 ||
  fail "the build failed: $(grep -m1 'error' "$log" || tail -n1 "$log") (whole log: $log)"

exec "$build/bin/portico-train" "$@"
