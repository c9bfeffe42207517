#!/bin/bash
# Builds and runs the tests from a bare Debian 12: installs the packages that are missing, configures the preset ci,
# builds, runs ctest. Ends with ctest's summary, and non-zero with a one-line reason when a step fails.
#
#   bash tests/run.sh [--backend cuda|hip|opencl] [--full] [ctest options]
#
#   --backend NAME  only the tests that run on this backend. For cuda and hip without such a GPU these are the tests on
#                   stand-in drivers (tests/standin), and the output says so
#   --full          also: Intel's CPU OpenCL runtime as a second implementation, builds with address, undefined-behaviour
#                   and thread sanitizers, the exchange of files with Python, the vendors' run-time compilers. What
#                   cannot be had here appears in ctest's summary as skipped, its reason before it.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/cmake/install_packages.sh"

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

backend="" full="" options=()
while [ $# -gt 0 ]; do
  case $1 in
    --backend)
      [ $# -ge 2 ] || { echo "error: --backend needs a name: cuda, hip or opencl" >&2; exit 2; }
      backend=$2
      shift
      ;;
    --backend=*) backend=${1#*=} ;;
    --full) full=1 ;;
    --help | -h) usage; exit 0 ;;
    *) options+=("$1") ;;
  esac
  shift
done
case $backend in
  "" | cuda | hip | opencl) ;;
  *) echo "error: --backend $backend: expected cuda, hip or opencl" >&2; exit 2 ;;
esac

# The tests set these themselves; what a user works with may not decide a test's result.
unset PORTICO_BACKEND PORTICO_BACKEND_DIR PORTICO_CACHE PORTICO_CACHE_DIR PORTICO_DEBUG PORTICO_DUMP PORTICO_KERNEL_SHAPE \
  PORTICO_LOG PORTICO_MEASURE PORTICO_MEMORY_LIMIT PORTICO_PRECISION PORTICO_TRACE PORTICO_TUNING PORTICO_VENDOR

cd "$root" || exit 1
mkdir -p build || fail "cannot make the build folder $root/build"
jobs=$(nproc)
phase_start=$SECONDS
timings=""
phase_done() {  # phase_done NAME: the time since the last phase
  timings+="$1 $((SECONDS - phase_start)) s, "
  echo "== $1: $((SECONDS - phase_start)) s"
  phase_start=$SECONDS
}

test_packages=(catch2 libbenchmark-dev pkgconf binutils libopenblas-dev)
full_packages=(python3 python3-venv libamdhip64-5 libhiprtc-builtins5 clang clang-19 patchelf)
packages=("${portico_build_packages[@]}" "${portico_run_packages[@]}" "${test_packages[@]}")
install_packages "${packages[@]}" || exit 1

# What could not be had for --full: "name|reason" each.
missing=()
if [ -n "$full" ]; then
  for package in "${full_packages[@]}"; do
    install_packages "$package" || missing+=("package_$package|the package $package could not be installed")
  done
fi
phase_done packages

build() {  # build PRESET [configure options]: quiet when it works
  local preset=$1 log="build/$1/run.log"
  shift
  mkdir -p "build/$preset"
  cmake --preset "$preset" "$@" >"$log" 2>&1 ||
    fail "configuring $preset failed: $(grep -m1 -A2 'CMake Error' "$log" | tr '\n' ' ') (whole log: $root/$log)"
  cmake --build "build/$preset" >"$log" 2>&1 ||
    fail "the build of $preset failed: $(grep -m1 -E 'error:|undefined reference' "$log" || grep -m1 FAILED "$log") (whole log: $root/$log)"
}

intel=""
if [ -n "$full" ]; then
  . "$root/tests/full.sh"
  export PORTICO_TEST_FULL=1
  get_python
  get_intel
  get_nvrtc
  get_nvdisasm
  phase_done "python packages"
fi

build ci -D PORTICO_INTEL_OPENCL="$intel"
phase_done "build ci"

if [ -n "$full" ]; then
  # Sanitizers look at the host's code; the groups are those with threads, parsers and lifetimes.
  build asan -D PORTICO_BUILD_EXAMPLES=OFF -D "PORTICO_TEST_GROUPS=runtime;tensor;io;data;optim;nn;train;leaks"
  phase_done "build asan"
  if tsan_works; then
    build tsan -D PORTICO_BUILD_EXAMPLES=OFF -D "PORTICO_TEST_GROUPS=runtime;data"
    phase_done "build tsan"
  fi
  make_full_run
fi

build/ci/bin/portico-info || fail "portico-info does not run"
if [ -n "$backend" ]; then
  reason=$(build/ci/bin/portico-info | awk -v name="$backend" '
    $0 == name ": not usable" { seen = 1; next }
    seen && NF { sub(/^ +/, ""); print; exit }')
  label="^$backend\$"
  [ "$backend" = opencl ] && label='^(opencl|intel)$'
  if [ -n "$reason" ]; then
    [ "$backend" != opencl ] || fail "backend $backend cannot be used here: $reason"
    echo "no hardware for $backend ($reason)"
    echo "running its tests on tests/standin: stand-in drivers that compute on the CPU"
    label="^$backend-standin\$"
  fi
  options=(-L "$label" "${options[@]}")
  export PORTICO_REQUIRE_BACKEND=1
fi
for entry in "${missing[@]}"; do echo "skipped: ${entry%%|*}: ${entry#*|}"; done

folder=build/ci
[ -z "$full" ] || folder=build/full
ctest --test-dir "$folder" -j "$jobs" --output-on-failure "${options[@]}"
code=$?
timings+="tests $((SECONDS - phase_start)) s"
if [ $code -ne 0 ]; then
  fail "tests failed (the list is above; $timings)"
fi
