# Functions for the scripts that work from a bare Debian 12. Source it; it does nothing by itself.
#
#   install_packages NAME...   installs those of the packages that are missing, and says which; with all of them there it
#                              touches neither the network nor the system. Returns 1, with one line on stderr, on failure.
#   fail REASON                the one-line reason and exit code 1

# What the library and its programs need to be built, and what they need to run (an OpenCL device on any machine, images).
portico_build_packages=(g++ cmake ninja-build nlohmann-json3-dev zlib1g-dev libcli11-dev libstb-dev opencl-headers
  libclblast-dev)
portico_run_packages=(pocl-opencl-icd ocl-icd-libopencl1 dataset-fashion-mnist)

fail() {
  echo "error: $*" >&2
  exit 1
}

package_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "note: this is no Debian system; what is needed, by its Debian names: $*" >&2
    return 0
  fi
  local missing=() name
  for name in "$@"; do
    package_installed "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  echo "installing packages: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "error: installing packages needs root or sudo; missing: ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  local log
  log=$(mktemp) || return 1
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >"$log" 2>&1; then
    # Old lists may still do; the installation below decides.
    echo "note: apt-get update failed: $(grep -m1 -E '^(E|W):' "$log" || tail -n1 "$log")" >&2
  fi
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >"$log" 2>&1; then
    echo "error: apt-get install failed: $(grep -m1 '^E:' "$log" || tail -n1 "$log") (whole log: $log)" >&2
    return 1
  fi
  rm -f "$log"
}
