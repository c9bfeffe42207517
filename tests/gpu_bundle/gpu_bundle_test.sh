#!/bin/bash
# gpu_bundle_test.sh BUILD SOURCE CUDA HIP NVRTC: packs the build, unpacks it under another name, and runs it with an empty
# environment: on OpenCL; with the stand-in HIP in the place of AMD's libraries; and in a root folder with nothing but a shell,
# with the stand-in CUDA and the real NVRTC beside the bundle in the place of NVIDIA's. Exit code 77 unless
# PORTICO_TEST_FULL=1: packing takes half a minute.
set -uo pipefail
build=$1 source=$2 cuda=${3:-} hip=${4:-} nvrtc=${5:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ "${PORTICO_TEST_FULL:-}" = 1 ] || { echo "skipped: only tests/run.sh --full packs the bundle"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
  echo "failed: $*"
  exit 1
}

bash "$source/bench/gpu_bundle.sh" --build "$build" --out "$work/packed" --images 1000 || fail "packing"
mkdir "$work/elsewhere" && tar -C "$work/elsewhere" -xzf "$work/packed/portico-gpu.tar.gz" || fail "unpacking"
rm -rf "$work/packed"
mv "$work/elsewhere/portico-gpu" "$work/elsewhere/another name"
bundle="$work/elsewhere/another name"
bare() { (cd "$work" && env -i PATH=/usr/bin:/bin HOME="$work" TMPDIR="$work" "$bundle/run.sh" "$@" 2>&1); }

for program in portico-bench portico-train ops_matmul_test; do
  ldd "$bundle/bin/$program" | grep -E 'libportico|libbenchmark|libz' | grep -vqF "$bundle" &&
    fail "$program finds its libraries elsewhere: $(ldd "$bundle/bin/$program")"
done
grep -rlqF "$build" "$bundle" && fail "a file names the build: $(grep -rlF "$build" "$bundle")"

text=$(bare --backend opencl --only '^(01_vector_add|tensor_shape_test|runtime_precision_test|runtime_pool_test)$' test) ||
  fail "test: $text"
grep -q '"passed": 4, "failed": 0, "skipped": 0' "$work/results/test.json" || fail "test.json: $(cat "$work/results/test.json")"
text=$(bare train --model mlp --epochs 1 --limit 256) || fail "train: $text"
grep -q 'test_accuracy=' <<<"$text" || fail "train says no accuracy: $text"
text=$(bare bench --benchmark_filter='^copy/bytes:4096' --benchmark_min_time=0.01) || fail "bench: $text"
[ -s "$work/results/rows.json" ] || fail "bench left no rows.json"

text=$(bare bench --benchmark_filter='^nothing' --benchmark_min_time=0.01) && [ ! -s "$work/results/rows.json" ] &&
  fail "a filter that matches nothing passes: $text"

# A machine with a GPU, as far as there is one here. Of the suite those rows that are no work for a GPU.
rows='^(launch/pointwise|transfer/.*/bytes:4096|memory_bound/(add|relu)/cols:1024)/'
programs='^(01_vector_add|ops_softmax_test|runtime_pool_test)$'
on_standin() {  # on_standin NAME RUN...: the three verbs by a command that runs the bundle's run.sh
  local name=$1 text
  shift
  text=$("$@" --backend "$name" --only "$programs" test 2>&1) || fail "$name: test: $text"
  grep -q '3 passed, 0 failed, 0 skipped' <<<"$text" || fail "$name: test: $text"
  text=$("$@" --backend "$name" train --model mlp --epochs 1 --limit 256 2>&1) || fail "$name: train: $text"
  grep -q "backend=$name device=\"Portico stand-in.* test_accuracy=" <<<"$text" || fail "$name: train says no accuracy: $text"
  text=$("$@" --backend "$name" bench --suite quick --devices "$name" --benchmark_filter="$rows" 2>&1) || fail "$name: bench: $text"
  echo "$name: test, train and bench run on the stand-in"
}
if [ -n "$hip" ]; then
  on_standin hip env -i -C "$work" PATH=/usr/bin:/bin HOME="$work" TMPDIR="$work" PORTICO_HIP_RUNTIME="$hip" \
    PORTICO_HIPRTC="$hip" PORTICO_ROCBLAS="$hip" PORTICO_HIPBLASLT="$hip" "$bundle/run.sh"
fi
if [ -n "$cuda" ] && [ -n "$nvrtc" ]; then
  root="$work/bare"
  files=("$cuda" "$nvrtc" "$(dirname "$nvrtc")"/libnvrtc-builtins.so*)
  if bash "$here/bare_root.sh" "$root" "${files[@]}"; then
    cp -r "$bundle" "$root/bundle"
    vendor=/vendor/$(basename "$cuda")
    on_standin cuda bash "$here/in_root.sh" "$root" /usr/bin/env -i -C /root PATH=/usr/bin HOME=/root LD_LIBRARY_PATH=/vendor \
      PORTICO_CUDA_DRIVER="$vendor" PORTICO_CUBLAS="$vendor" PORTICO_CUBLASLT="$vendor" \
      PORTICO_NVRTC="/vendor/$(basename "$nvrtc")" /bundle/run.sh
    text=$(bash "$here/in_root.sh" "$root" /usr/bin/env -i -C /root PATH=/usr/bin HOME=/root /bundle/run.sh test 2>&1) &&
      fail "without a vendor's library there is a device: $text"
    grep -q 'no backend has a device' <<<"$text" || fail "the reason is missing: $text"
  else
    [ $? -eq 77 ] || fail "no bare root"
    echo "not run in a bare root: this user may not make one"
  fi
fi

# What goes wrong is said, and is no success.
mv "$bundle/bin/tensor_shape_test" "$bundle/bin/kept" && printf '#!/bin/sh\necho broken; exit 3\n' >"$bundle/bin/tensor_shape_test"
chmod 755 "$bundle/bin/tensor_shape_test"
text=$(bare --only '^tensor_shape_test$' test) && fail "a failing program passes: $text"
grep -q '"result": "failed", "code": 3' "$work/results/test.json" || fail "test.json: $(cat "$work/results/test.json")"
text=$(bare --only '^nothing$' test) && fail "no program at all passes: $text"
text=$(bare --backend cuda test) && fail "cuda is said to work: $text"
grep -q 'backend cuda cannot be used here' <<<"$text" || fail "cuda's reason is missing: $text"
text=$(bare sanitize) && fail "sanitize is said to work: $text"
echo "the bundle runs from '$bundle'"
