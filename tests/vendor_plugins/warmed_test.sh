#!/bin/bash
# warmed_test.sh BUILD STAND_IN: what `portico-tune --warm --arch` made without a device is all that a training step on the
# CUDA stand-in needs: NVRTC is not called once. The stand-in counts the calls.
set -uo pipefail
build=$1 standin=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
  echo "failed: $*"
  exit 1
}
unset PORTICO_BACKEND PORTICO_VENDOR PORTICO_DEBUG PORTICO_DUMP
tune() { env PORTICO_NVRTC="$standin" PORTICO_HIPRTC="$standin" "$build/bin/portico-tune" "$@" 2>&1; }

# What cannot be compiled for is refused before anything is compiled, and what there is, is named.
refused() {
  local text
  text=$(tune --warm "$work/none" --arch "$1") && fail "taken: $1"
  grep -q -- "$2" <<<"$text" || fail "$1 says nothing of '$2': $text"
  [ -e "$work/none" ] && fail "$1 left something behind"
}
refused cuda:sm_12 'cuda:sm_12.*it compiles for sm_75 sm_80'
refused sm_90 'expected BACKEND:TARGET'
refused opencl:any 'compiles on its device only'
refused vulkan:any 'is none of cuda, hip, opencl'
text=$(tune --arch cuda:sm_90) && fail "--arch without --warm"
grep -q 'requires --warm' <<<"$text" || fail "--arch without --warm: $text"

text=$(tune --warm "$work/ready" --networks-only --arch cuda:compute_80) || fail "warming: $text"
grep -q 'cuda:compute_80: [1-9][0-9]* files' <<<"$text" || fail "warming: $text"

# Sets `compiled`, how often NVRTC was asked, and `said`, what the step printed.
step() {
  said=$(env PORTICO_BACKEND=cuda PORTICO_CUDA_DRIVER="$standin" PORTICO_NVRTC="$standin" PORTICO_CUBLASLT="$3" \
    PORTICO_CUBLAS="$3" PORTICO_CUDNN= PORTICO_CACHE_DIR="$2" PORTICO_STANDIN_REPORT="$work/report" "$1" 2>&1) ||
    fail "the step: $said"
  compiled=$(awk '$2 == "nvrtcCompileProgram" { print $3 }' "$work/report")
  compiled=${compiled:-0}
  grep -q 'calls cuLaunchKernel' "$work/report" || fail "nothing was launched"
}
for library in "" "$standin"; do
  mkdir -m 700 "$work/cold"
  step "$build/bin/warmed_step" "$work/cold" "$library"
  [ "$compiled" -gt 5 ] || fail "a cold folder compiles $compiled programs: the count means nothing"
  cold=$said
  step "$build/bin/warmed_step" "$work/ready" "$library"
  [ "$compiled" -eq 0 ] || fail "a warmed folder compiles $compiled programs (library: '$library')"
  [ "$said" = "$cold" ] || fail "warmed: $said, cold: $cold"
  # What the step left in the folder beside `kernels` is not what the next round may live on.
  find "$work/ready" -maxdepth 1 -type f -delete
  rm -r "$work/cold"
done

# Shipped with an installation: beside the plugins, with another cache that is empty.
mkdir "$work/plugins" && cp "$build"/lib/portico/libportico_cuda.so "$work/plugins" && cp -r "$work/ready/kernels" "$work/plugins"
mkdir -m 700 "$work/empty"
PORTICO_BACKEND_DIR="$work/plugins" step "$build/bin/warmed_step" "$work/empty" ""
[ "$compiled" -eq 0 ] || fail "beside the plugins: $compiled programs compiled"
echo "warmed without a device, run on the stand-in without its compiler"
