#!/bin/bash
# portico-check as a user has it: exit codes and messages. With "ptx" by PTX files alone, with "nvrtc" from the dialect's text.
# usage: check_test.sh <portico-check> <folder of kernels> ptx|nvrtc
set -u
check=$1 kernels=$2 mode=$3
failed=0

# expect <code> <text in its output> <arguments...>
expect() {
  local code=$1 text=$2 out got
  shift 2
  out=$("$check" "$@" 2>&1)
  got=$?
  if [ $got -ne "$code" ] || [[ "$out" != *"$text"* ]]; then
    echo "FAILED: portico-check $*: code $got instead of $code, or no '$text' in:"
    echo "$out"
    failed=1
  fi
}

if [ "$mode" = ptx ]; then
  scale="$kernels/scale.ptx --from-ptx"
  good="--arg f32:100=iota --arg f32:100=unset --arg u32=100 --arg f32=0.5"
  expect 0 "0 0.5 1 1.5" $scale $good --block 128 --print 4
  expect 0 "parameter 1: 0 0.5 unset unset" $scale --arg f32:100=iota --arg f32:100=unset --arg u32=2 --arg f32=0.5 --print 4
  expect 1 "outside: kernel scale: read of 4 bytes of global memory" $scale --arg f32:99=iota --arg f32:100=unset --arg u32=100 --arg f32=0.5 --block 128
  expect 1 "unset: kernel scale" $scale --arg f32:100=unset --arg f32:100=unset --arg u32=100 --arg f32=0.5 --block 128
  expect 1 "launch: kernel scale" $scale $good --block 2000
  expect 2 "takes 4 parameters, 1 --arg were given" $scale --arg u32=1
  expect 2 "has 8 bytes, this has 4" $scale --arg f32=1 --arg f32=1 --arg u32=1 --arg f32=1
  expect 2 "is no u32" $scale --arg u32=-1
  expect 2 "does not fit" $scale --arg u8=256
  expect 2 "no type 'f99'" $scale --arg f99=1
  expect 2 "is no count" $scale --arg f32:0=iota
  expect 2 "are more than" $scale --arg f32:999999999999=iota
  expect 2 "--grid 0" $scale $good --grid 0
  expect 2 "--block 1,2,3,4" $scale $good --block 1,2,3,4
  expect 2 "no kernel other" $scale --kernel other
  expect 2 "cannot be read" /nowhere.ptx --from-ptx
  expect 2 "" $scale --frobnicate
  expect 2 "" --help-me
  expect 3 "frobnicate" "$kernels/unknown.ptx" --from-ptx
  expect 0 "read: 1 files" $scale --parse
  expect 0 "Exit codes" --help
  exit $failed
fi

out=$("$check" "$kernels/wrong.cl" --parse 2>&1)
if [ $? -eq 77 ]; then
  echo "skipped: $out"
  exit 77
fi
wrong="$kernels/wrong.cl --block 64 --arg f32:64=iota --kernel"
expect 0 "nothing found" $wrong right
expect 1 "outside: kernel past_the_end" $wrong past_the_end
expect 1 "wrong.cl:" $wrong past_the_end
expect 1 "race: kernel no_barrier" $wrong no_barrier
expect 1 "race: kernel one_word" $wrong one_word
expect 1 "unset: kernel half_filled" $wrong half_filled
expect 1 "barrier: kernel not_all" $wrong not_all
expect 1 "misaligned: kernel crooked" $wrong crooked
expect 1 "trap: kernel stops" $wrong stops
expect 0 "thread 3 says 1.5" $wrong talks
expect 2 "several kernels" "$kernels/wrong.cl"
for real in f32 f16 bf16; do
  expect 0 "0 0.5 1 1.5" "$kernels/scale.cl" -D REAL=$real --arg $real:100=iota --arg $real:100=unset --arg u32=100 --arg f32=0.5 --print 4 --arch 75
done
expect 3 "REAL" "$kernels/scale.cl"
expect 3 "" "$kernels/scale.cl" -D REAL=f32 --arch 1
expect 2 "--arch gfx90a" "$kernels/scale.cl" -D REAL=f32 --arch gfx90a
expect 2 "NAME=VALUE is wanted" "$kernels/scale.cl" -D 1=2
expect 0 ".visible .entry scale" "$kernels/scale.cl" -D REAL=f32 --ptx
exit $failed
