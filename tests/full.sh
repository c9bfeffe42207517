# What tests/run.sh --full adds, as functions; sourced by it. Uses its variables root, missing, intel and jobs.
#
# Everything lands below build/: nothing is left on the system but Debian packages.

# A virtual environment for what tests need from Python: build/python.
get_python() {
  local venv="$root/build/python"
  if [ ! -x "$venv/bin/pip" ]; then
    python3 -m venv "$venv" >"$root/build/python.log" 2>&1 || {
      missing+=("python|no virtual environment: $(tail -n1 "$root/build/python.log")")
      return
    }
  fi
  if pip_install numpy safetensors; then
    export PORTICO_TEST_PYTHON="$venv/bin/python"
  else
    missing+=("python_exchange|$reason")
  fi
}

# pip_install NAME...: into build/python; quick and without network when all is there. Sets reason when it fails.
pip_install() {
  local pip="$root/build/python/bin/pip"
  [ -x "$pip" ] || { reason="there is no Python environment"; return 1; }
  local name wanted=()
  for name in "$@"; do
    "$pip" show -q "$name" >/dev/null 2>&1 || wanted+=("$name")
  done
  [ ${#wanted[@]} -gt 0 ] || return 0
  echo "installing Python packages in build/python: ${wanted[*]}"
  "$pip" install -q "${wanted[@]}" </dev/null >"$root/build/pip.log" 2>&1 && return 0
  reason="pip install $*: $(grep -m1 -i error "$root/build/pip.log" || tail -n1 "$root/build/pip.log")"
  return 1
}

# Intel's CPU OpenCL runtime: another compiler, half arithmetic and sub-groups, on the same processor.
get_intel() {
  local venv="$root/build/python" library
  pip_install intel-opencl-rt intel-cmplr-lib-rt || { missing+=("intel_opencl|$reason"); return; }
  library=$(ls "$venv"/lib/libintelocl.so.* 2>/dev/null | head -n1)
  [ -n "$library" ] || { missing+=("intel_opencl|the packages hold no libintelocl.so"); return; }
  mkdir -p "$venv/icd"
  echo "$library" >"$venv/icd/intel.icd"
  intel=$venv
}

# NVRTC needs no driver: kernels are compiled for NVIDIA's architectures where there is no GPU.
get_nvrtc() {
  local library
  [ -z "${PORTICO_NVRTC:-}" ] || return 0
  if ls /usr/local/cuda/lib64/libnvrtc.so* >/dev/null 2>&1; then return 0; fi
  pip_install nvidia-cuda-nvrtc || { missing+=("nvrtc|$reason"); return; }
  library=$(find "$root/build/python/lib" -name 'libnvrtc.so.*' | head -n1)
  [ -n "$library" ] || { missing+=("nvrtc|the package holds no libnvrtc.so"); return; }
  export PORTICO_NVRTC=$library
}

# NVIDIA's disassembler, 5 MB: what NVRTC makes of the kernels is looked at.
get_nvdisasm() {
  local program
  [ -z "${PORTICO_NVDISASM:-}" ] || return 0
  if command -v nvdisasm >/dev/null 2>&1; then return 0; fi
  pip_install nvidia-cuda-nvdisasm || { missing+=("nvdisasm|$reason"); return; }
  program=$(find "$root/build/python/lib" -name nvdisasm -path '*/bin/*' | head -n1)
  [ -n "$program" ] || { missing+=("nvdisasm|the package holds no nvdisasm"); return; }
  chmod +x "$program"
  export PORTICO_NVDISASM=$program
}

# Whether programs built with the thread sanitizer start here at all: their memory map does not fit every kernel.
tsan_works() {
  local trial="$root/build/tsan-trial"
  echo 'int main() { return 0; }' >"$trial.cpp"
  if ! g++ -fsanitize=thread "$trial.cpp" -o "$trial" >"$trial.log" 2>&1 || ! setarch -R "$trial" >"$trial.log" 2>&1; then
    missing+=("tsan|programs with the thread sanitizer do not start here: $(head -n1 "$trial.log")")
    return 1
  fi
}

# One run of ctest over all builds, so that there is one summary; what is missing is a skipped test in it.
make_full_run() {
  local file="$root/build/full/CTestTestfile.cmake" entry preset
  mkdir -p "$root/build/full"
  {
    echo "subdirs(\"../ci\")"
    echo "subdirs(\"../asan\")"
    case " ${missing[*]} " in *" tsan|"*) ;; *) echo "subdirs(\"../tsan\")" ;; esac
    for entry in "${missing[@]}"; do
      entry=${entry//\'/}
      echo "add_test(\"missing/${entry%%|*}\" sh -c [==[echo '${entry#*|}'; exit 77]==])"
      echo "set_tests_properties(\"missing/${entry%%|*}\" PROPERTIES SKIP_RETURN_CODE 77)"
    done
  } >"$file"
}
