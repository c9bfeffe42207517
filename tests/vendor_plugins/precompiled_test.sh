#!/bin/bash
# precompiled_test.sh BUILD BACKEND STAND_IN: kernels compiled beforehand run on a machine without the run-time compiler,
# others say what is missing, and damage is noticed; by cmake/PorticoPrecompile.cmake they are built and installed. The
# stand-in is the driver, and the compiler too, so that what is loaded can run; the real compiler, where there is one,
# compiles the same texts to code objects.
set -uo pipefail
build=$1 backend=$2 standin=$3
case $backend in
  cuda) target=sm_90 compiler=PORTICO_NVRTC driver=PORTICO_CUDA_DRIVER name=NVRTC ;;
  hip) target=gfx90a compiler=PORTICO_HIPRTC driver=PORTICO_HIP_RUNTIME name=hipRTC ;;
esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
  echo "failed: $*"
  exit 1
}

# The text, as the null backend has it.
env PORTICO_DEBUG=0 PORTICO_BACKEND_DIR="$build/lib/portico/null" PORTICO_BACKEND=opencl PORTICO_CACHE=0 PORTICO_DUMP="$work/texts" \
  "$build/bin/runtime_probe" scale 2 >/dev/null || fail "recording"

# By the build's own rules, from nothing but the programs: what they make, and what they install.
cmake -S "$here/precompiled" -B "$work/build" -D BUILD="$build" -D TEXTS="$work/texts" -D BACKEND="$backend" \
  -D CMAKE_INSTALL_PREFIX="$work/installed" >"$work/log" 2>&1 || fail "configuring: $(cat "$work/log")"
env $compiler="$standin" cmake --build "$work/build" >"$work/log" 2>&1 || fail "compiling: $(cat "$work/log")"
grep -q "1 programs for $target" "$work/log" || fail "compiling: $(cat "$work/log")"
cmake --install "$work/build" >"$work/log" 2>&1 || fail "installing: $(cat "$work/log")"
plugins=$(dirname "$(find "$work/installed" -type d -name kernels)")
[ -n "$(ls "$plugins/kernels/$backend/$target" 2>/dev/null)" ] || fail "nothing installed: $(find "$work/installed")"
cp "${PORTICO_BACKEND_DIR:-$build/lib/portico}/libportico_$backend.so" "$plugins"

probe() {
  env PORTICO_BACKEND_DIR="$plugins" PORTICO_BACKEND=$backend $driver="$standin" $compiler=/nonexistent \
    PORTICO_STANDIN_CAPABILITY=90 PORTICO_CACHE=0 PORTICO_LOG=warning "$build/bin/runtime_probe" scale "$1" 2>&1
}
text=$(probe 2) || fail "the compiled kernel does not run: $text"
text=$(probe 3) && fail "a kernel that nobody compiled runs: $text"
grep -q "not among the kernels compiled beforehand for $target\|not among the kernels compiled beforehand for .* $target" <<<"$text" ||
  fail "the reason is missing: $text"
grep -q "$compiler=/nonexistent" <<<"$text" || fail "$name is not named: $text"

entry=$(ls "$plugins/kernels/$backend/$target"/*)
chmod u+w "$entry" && printf x | dd of="$entry" bs=1 seek=200 conv=notrunc 2>/dev/null
text=$(probe 2) && fail "a damaged kernel runs: $text"
grep -q 'damaged precompiled kernel' <<<"$text" || fail "the damage is not named: $text"
rm -rf "$plugins/kernels"
text=$(probe 2) && fail "without kernels and without a compiler it runs: $text"
grep -q 'no run-time compiler' <<<"$text" || fail "the reason is missing: $text"
echo "compiled beforehand, installed, run without $name on the stand-in driver"

# The real compiler's output is an ELF file inside the entry.
text=$("$build/bin/portico-precompile" compile "$backend" "$target" "$work/texts" "$work/real" 2>&1) || {
  grep -q 'no run-time compiler' <<<"$text" && { echo "no real $name here"; exit 0; }
  fail "the real $name: $text"
}
grep -qaF $'\x7fELF' "$work/real/$backend/$target"/* || fail "the real $name made no code object"
echo "compiled by the real $name for $target"
