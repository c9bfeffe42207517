#!/bin/bash
# library_folder_test.sh SOURCE_TREE: portico.pc finds its folders from any depth of the library folder.
set -uo pipefail
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
  echo "library folder: $*" >&2
  exit 1
}
for libdir in lib lib64 lib/x86_64-linux-gnu; do
  cmake -G Ninja -S "$1" -B "$work/build" -D CMAKE_INSTALL_LIBDIR=$libdir -D CMAKE_INSTALL_PREFIX=/usr/local \
    -D PORTICO_BUILD_TESTS=OFF -D PORTICO_BUILD_BENCH=OFF -D PORTICO_BUILD_EXAMPLES=OFF >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "configuring for $libdir failed"; }
  rm -rf "$work/prefix" && mkdir -p "$work/prefix/$libdir/pkgconfig" "$work/prefix/include/portico"
  cp "$work/build/portico.pc" "$work/prefix/$libdir/pkgconfig/"
  export PKG_CONFIG_PATH="$work/prefix/$libdir/pkgconfig"
  include=$(pkg-config --variable=includedir portico) && [ -d "$include/portico" ] || fail "$libdir: no headers in $include"
  library=$(pkg-config --variable=libdir portico) && [ "$(realpath "$library")" = "$(realpath "$work/prefix/$libdir")" ] ||
    fail "$libdir: libraries looked for in $library"
  [ "$(realpath "$(pkg-config --variable=prefix portico)")" = "$(realpath "$work/prefix")" ] || fail "$libdir: wrong prefix"
done
echo "library folder: lib, lib64 and lib/x86_64-linux-gnu are found"
