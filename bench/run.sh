#!/bin/bash
# bench/run.sh [quick | full | LIST,...] [options of portico-bench]: builds portico-bench, runs a suite on every device of
# this machine and writes bench-SUITE.json and bench-SUITE.html into the current folder (PORTICO_BENCH_OUT names another).
#
#   bash bench/run.sh                        three minutes at most on two cores
#   bash bench/run.sh full --time 3600
#   bash bench/run.sh conv_resnet50 --devices opencl:0
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { echo "bench: $1" >&2; exit 1; }
case ${1:-} in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
suite=quick
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  suite=$1
  shift
fi
out=${PORTICO_BENCH_OUT:-$here}
mkdir -p "$out" || fail "the folder $out cannot be made"

. cmake/install_packages.sh
install_packages "${portico_build_packages[@]}" "${portico_run_packages[@]}" libbenchmark-dev libopenblas0-pthread || exit 1
log=build/bench.log
mkdir -p build
cmake --preset release >"$log" 2>&1 || fail "cmake --preset release failed (see $log)"
cmake --build --preset release --target portico-bench portico_opencl portico_cuda portico_hip >"$log" 2>&1 ||
  fail "the build failed: $(grep -m1 -E 'error:|undefined reference' "$log" || echo "see $log")"

# OpenBLAS chooses its kernels when it is loaded, Intel's CPU runtime for OpenCL what it compiles for; on a processor that
# they do not know both take slower ones.
export OPENBLAS_THREAD_TIMEOUT=${OPENBLAS_THREAD_TIMEOUT:-20}  # else its threads spin on beside the next contestant
if grep -qw avx512f /proc/cpuinfo; then
  export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SkylakeX} CL_CONFIG_CPU_TARGET_ARCH=${CL_CONFIG_CPU_TARGET_ARCH:-skx}
fi

name=bench-${suite//,/-}
code=0
build/release/bin/portico-bench --suite "$suite" "$@" --benchmark_out="$out/$name.json" --benchmark_out_format=json || code=$?
[ $code -eq 0 ] || [ $code -eq 130 ] || fail "portico-bench ended with exit code $code"
build/release/bin/portico-bench report "$out/$name.json" -o "$out/$name.html" || fail "no report of $out/$name.json"
echo "bench: wrote $out/$name.json and $out/$name.html"
exit $code
