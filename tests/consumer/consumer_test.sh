#!/bin/bash
# consumer_test.sh BUILD_FOLDER SOURCE_FOLDER LIBDIR: installs the build, moves the installation elsewhere, and lets a
# project outside the tree use it, by find_package and by pkg-config. Also holds the stripped size against its limit.
set -uo pipefail
build=$1 source=$2 libdir=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

fail() {
  echo "consumer: $*" >&2
  exit 1
}
step() {  # step NAME COMMAND...: quiet when it works
  local name=$1
  shift
  "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$name failed"; }
}

# The folder of the first installation does not exist any more when anything is used.
step "the installation" cmake --install "$build" --strip --prefix "$work/first"
mkdir "$work/else where"
mv "$work/first" "$work/else where/moved"
prefix="$work/else where/moved"
cp -r "$source/project" "$work/project"

! grep -rIl -e "$work/first" -e "$build" "$prefix" || fail "the files above name the folder they were built or installed in"

bytes=$(find "$prefix/$libdir" -name 'libportico*' -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
echo "core and plugins, stripped: $bytes bytes"
find "$prefix/$libdir" -name 'libportico*' -type f -printf '  %s %f\n'
[ "$bytes" -lt $((10 * 1000 * 1000)) ] || fail "core and plugins have $bytes bytes stripped, more than 10 MB"

# An installed tool finds its library, and the library its plugins, with no help from the environment.
info=$(env -u LD_LIBRARY_PATH "$prefix/bin/portico-info" --json) || fail "the moved portico-info does not run"
case $info in
  *"$prefix/$libdir/portico/libportico_opencl.so"*) ;;
  *) fail "the moved library does not look for plugins beside itself: $info" ;;
esac
for backend in cuda hip opencl; do
  [ -f "$prefix/$libdir/portico/libportico_$backend.so" ] || fail "the plugin for $backend is not installed"
done
soname=$(readelf -d "$prefix/$libdir/libportico.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
[ "$soname" = libportico.so.0 ] && [ -e "$prefix/$libdir/$soname" ] || fail "soname is '$soname', expected libportico.so.0"

run_consumer() {  # run_consumer NAME COMMAND...
  local name=$1
  shift
  "$@" >"$work/out" 2>&1
  local code=$?
  cat "$work/out"
  [ $code -ne 77 ] || { echo "$name: built, but there is no device to run it on"; exit 77; }
  [ $code -eq 0 ] || fail "$name ended with $code"
  grep -q "three steps, the loss falls" "$work/out" || fail "$name did not train"
}

step "configuring by find_package" cmake -S "$work/project" -B "$work/build" -D CMAKE_PREFIX_PATH="$prefix"
step "building by find_package" cmake --build "$work/build"
ldd "$work/build/consumer" | grep -q "$prefix" || fail "the consumer is not linked to the moved library"
run_consumer find_package "$work/build/consumer"
! cmake -S "$work/project" -B "$work/build2" -D CMAKE_PREFIX_PATH="$prefix" -D Portico_FIND_VERSION=9 \
  -D CMAKE_PROJECT_INCLUDE=<(echo 'find_package(Portico 9.0 REQUIRED)') >/dev/null 2>&1 || fail "version 9.0 was found"

command -v pkg-config >/dev/null || fail "pkg-config is not installed"
export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig"
[ "$(pkg-config --modversion portico)" = "$(sed -n 's/.*"version": "\(.*\)",/\1/p' <<<"$info")" ] ||
  fail "portico.pc has another version than the library"
eval "flags=($(pkg-config --cflags --libs portico))" || fail "pkg-config does not know portico"
step "building by pkg-config" g++ -std=c++20 -O1 "$work/project/main.cpp" -o "$work/plain" "${flags[@]}"
run_consumer pkg-config env LD_LIBRARY_PATH="$prefix/$libdir" "$work/plain"
echo "consumer: moved installation used by find_package and by pkg-config"
