#!/bin/bash
# bare_root.sh FOLDER [FILE...]: a system with nothing in it but a shell, the small programs that every Debian has, and the C
# library; each FILE with the libraries that it needs goes to FOLDER/vendor. No OpenCL, no compiler, no BLAS, no C++
# library but what is carried. Exit code 77 where this user may not go there (in_root.sh).
set -euo pipefail
root=$1
shift
programs=(bash sh env sed awk grep cat date timeout tail head ls tee tr mkdir dirname basename wc rm cp mv touch chmod
  mktemp sort uname sleep readlink true)
mkdir -p "$root"/{usr/bin,usr/lib64,tmp,dev,proc,sys,etc,root,vendor}
for link in bin lib64; do ln -s "usr/$link" "$root/$link"; done
ln -s usr/lib "$root/lib" && mkdir -p "$root/usr/lib"

# libraries FILE: what the loader would open for it, one path a line.
libraries() { ldd "$1" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-/ { print $1 }'; }
place() {  # place FILE: at its own path
  [ -e "$root$1" ] || { mkdir -p "$root$(dirname "$1")" && cp -L "$1" "$root$1"; }
}
for program in "${programs[@]}"; do
  file=$(type -P "$program") || { echo "no $program here" >&2; exit 1; }
  cp -L "$file" "$root/usr/bin/$program"
  for library in $(libraries "$file"); do place "$library"; done
done
# The rest of the C library, and what it needs at run time.
c=$(dirname "$(ldd /bin/sh | awk '$1 == "libc.so.6" { print $3 }')")
for name in libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libc.so.6; do place "$c/$name"; done
for file in "$@"; do
  cp -L "$file" "$root/vendor/"
  for library in $(libraries "$file"); do
    case $(basename "$library") in
      ld-* | libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.*) ;;
      *) cp -nL "$library" "$root/vendor/" ;;
    esac
  done
done
for device in null zero urandom random; do
  [ -c "/dev/$device" ] && cp -a "/dev/$device" "$root/dev/" 2>/dev/null || true
done
: 2>/dev/null >"$root/dev/null" || { echo "no devices can be made in $root" >&2; exit 77; }
bash "$(dirname "${BASH_SOURCE[0]}")/in_root.sh" "$root" /bin/sh -c '[ -e /proc/self ]' 2>/dev/null ||
  { echo "this user may not chroot and mount" >&2; exit 77; }
