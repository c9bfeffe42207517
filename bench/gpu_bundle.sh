#!/bin/bash
# Packs what a machine with a GPU needs to test and measure Portico without installing or building anything: one folder,
# and the same as a tar file. Both may be moved anywhere.
#
#   bash bench/gpu_bundle.sh [--build FOLDER] [--out FOLDER] [--images COUNT]
#
#   --build FOLDER   a finished build with tests; without it build/bundle is made (preset release, with tests)
#   --out FOLDER     where portico-gpu/ and portico-gpu.tar.gz go; default: build
#   --images COUNT   training images of the data set that go along; default 20000, a fifth as many for the test
#
# On the other machine: tar xf portico-gpu.tar.gz && portico-gpu/run.sh test (run.sh --help says the rest).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/cmake/install_packages.sh"
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

build="" out="$root/build" images=20000
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$(cd "$2" && pwd) && shift ;;
    --out) out=$2 && shift ;;
    --images) images=$2 && shift ;;
    --help | -h) usage; exit 0 ;;
    *) fail "$1: see --help" ;;
  esac
  shift
done
case $images in '' | *[!0-9]*) fail "--images $images: expected a number" ;; esac

install_packages "${portico_build_packages[@]}" "${portico_run_packages[@]}" catch2 libbenchmark-dev binutils patchelf
if [ -z "$build" ]; then
  build="$root/build/bundle"
  (cd "$root" && cmake --preset release -B "$build" -D PORTICO_BUILD_TESTS=ON >/dev/null && cmake --build "$build")
fi

bundle="$out/portico-gpu"
rm -rf "$bundle"
mkdir -p "$bundle/bin" "$bundle/lib/portico" "$bundle/lib/fallback" "$bundle/data"

# place FILE TO RPATH: stripped, and looking for libraries relative to itself.
place() {
  strip --strip-unneeded -o "$2" "$1"
  chmod 755 "$2"
  patchelf --set-rpath "$3" "$2"
}

# Tests that hold a path of this tree would look for it over there; they are about building and installing anyway.
left_out=""
for program in "$build"/bin/*; do
  name=$(basename "$program")
  case $name in
    portico-info | portico-bench | portico-train) ;;
    io_exchange | runtime_probe) continue ;;  # other tests' helpers
    ops_* | nn_* | optim_* | tensor_* | train_* | runtime_* | io_* | loader_test | plugin_smoke_test | words_test) ;;
    0*) ;;
    *) continue ;;
  esac
  place "$program" "$bundle/bin/$name" '$ORIGIN/../lib'
  if grep -qF -e "$root" -e "$build" "$bundle/bin/$name"; then
    rm "$bundle/bin/$name"
    left_out+=" $name"
  fi
done
[ -x "$bundle/bin/portico-info" ] || fail "$build holds no finished build"
place "$build/lib/libportico.so.0" "$bundle/lib/libportico.so.0" '$ORIGIN'
for plugin in "$build"/lib/portico/libportico_*.so; do
  place "$plugin" "$bundle/lib/portico/$(basename "$plugin")" '$ORIGIN/..'
done
[ -d "$build/lib/portico/kernels" ] && cp -r "$build/lib/portico/kernels" "$bundle/lib/portico/"

# Libraries that such a machine may lack, found as the loader finds them here. The C++ runtime is used only where the
# machine's own is too old: run.sh tries.
library() {
  ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }'
}
for name in libOpenCL.so.1 libclblast.so.1 libz.so.1; do
  file=$(library "$name")
  [ -n "$file" ] || fail "$name is not installed here"
  place "$file" "$bundle/lib/$name" '$ORIGIN'
done
file=$(ldd "$build/bin/portico-bench" | awk '/libbenchmark/ { print $3 }')
[ -z "$file" ] || place "$file" "$bundle/lib/$(basename "$(ldd "$build/bin/portico-bench" | awk '/libbenchmark/ { print $1 }')")" '$ORIGIN'
for name in libstdc++.so.6 libgcc_s.so.1; do cp -L "$(library "$name")" "$bundle/lib/fallback/$name"; done

# subset FROM HEADER_BYTES ITEM_BYTES COUNT: the first items of an IDX file, its count corrected.
subset() {
  local header=$2 count=$4
  {
    zcat "$1" | head -c 4
    printf "\\x$(printf %02x $((count >> 24 & 255)))\\x$(printf %02x $((count >> 16 & 255)))\\x$(printf %02x $((count >> 8 & 255)))\\x$(printf %02x $((count & 255)))"
    zcat "$1" | tail -c +9 | head -c $((header - 8 + $3 * count)) || true
  } 2>/dev/null | gzip -9n >"$bundle/data/$(basename "$1")"
}
set +o pipefail  # head closes zcat's pipe
source=/usr/share/datasets/fashion-mnist
[ "$images" -le 60000 ] || images=60000
tests=$((images / 5 < 10000 ? images / 5 : 10000))
subset "$source/train-images-idx3-ubyte.gz" 16 784 "$images"
subset "$source/train-labels-idx1-ubyte.gz" 8 1 "$images"
subset "$source/t10k-images-idx3-ubyte.gz" 16 784 "$tests"
subset "$source/t10k-labels-idx1-ubyte.gz" 8 1 "$tests"
set -o pipefail

cp "$root/bench/gpu_bundle/run.sh" "$bundle/run.sh"
cp "$root/LICENSE" "$bundle/"
chmod 755 "$bundle/run.sh"
{
  echo "commit $(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)"
  echo "glibc $(objdump -T "$bundle"/bin/* "$bundle"/lib/*.so* 2>/dev/null | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -n1)"
} >"$bundle/VERSION"

tar -C "$out" -czf "$out/portico-gpu.tar.gz" portico-gpu
size=$(du -sk "$bundle" | cut -f1)
echo "$bundle: $(ls "$bundle/bin" | wc -l) programs, $((size / 1024)) MiB ($(du -k "$out/portico-gpu.tar.gz" | cut -f1) KiB packed), needs $(tail -n1 "$bundle/VERSION")"
[ -z "$left_out" ] || echo "left out, as they hold paths of this tree:$left_out"
[ "$size" -lt $((60 * 1024)) ] || fail "the folder is larger than 60 MiB"
