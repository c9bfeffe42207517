#!/bin/bash
# precompiled_test.sh BUILD STAND_IN_DRIVER: a kernel that was compiled beforehand runs on a machine without NVRTC, another
# one says what is missing, and damage is noticed. The driver is the stand-in, so what runs is the way there.
set -uo pipefail
build=$1 driver=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
  echo "failed: $*"
  exit 1
}

# The text, as the null backend has it, and its machine code.
env PORTICO_BACKEND_DIR="$build/lib/null" PORTICO_BACKEND=opencl PORTICO_CACHE=0 PORTICO_DUMP="$work/texts" \
  "$build/bin/runtime_probe" scale 2 >/dev/null || fail "recording"
plugins="$work/plugins"
mkdir "$plugins" && cp "$build/lib/portico/libportico_cuda.so" "$plugins"
text=$("$build/bin/portico-precompile" compile cuda sm_90 "$work/texts" "$plugins/kernels" 2>&1) || {
  grep -q 'no run-time compiler' <<<"$text" && { echo "skipped: $text"; exit 77; }
  fail "compiling: $text"
}
[ "$text" = "1 programs for sm_90" ] || fail "compiling: $text"

probe() {
  env PORTICO_BACKEND_DIR="$plugins" PORTICO_BACKEND=cuda PORTICO_CUDA_DRIVER="$driver" PORTICO_NVRTC=/nonexistent \
    PORTICO_CACHE=0 PORTICO_LOG=warning FAKE_ANY_ARGUMENTS=1 "$build/bin/runtime_probe" scale "$1" 2>&1
}
text=$(probe 2) || fail "the compiled kernel does not run: $text"
text=$(probe 3) && fail "a kernel that nobody compiled runs: $text"
grep -q 'not among the kernels compiled beforehand for sm_90' <<<"$text" || fail "the reason is missing: $text"
grep -q 'PORTICO_NVRTC=/nonexistent' <<<"$text" || fail "NVRTC is not named: $text"

entry=$(ls "$plugins"/kernels/cuda/sm_90/*)
chmod u+w "$entry" && printf x | dd of="$entry" bs=1 seek=200 conv=notrunc 2>/dev/null
text=$(probe 2) && fail "a damaged kernel runs: $text"
grep -q 'damaged precompiled kernel' <<<"$text" || fail "the damage is not named: $text"
rm -r "$plugins/kernels"
text=$(probe 2) && fail "without kernels and without NVRTC it runs: $text"
grep -q 'no run-time compiler' <<<"$text" || fail "the reason is missing: $text"
echo "compiled beforehand, run without NVRTC on the stand-in driver"
