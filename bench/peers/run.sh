#!/bin/bash
# bench/peers/run.sh [options of peers.py]: times Portico against PyTorch, alternately, on this machine.
# PyTorch goes into a virtual environment of its own (.venv/peers; PORTICO_PEERS_VENV names another).
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${PORTICO_PEERS_VENV:-.venv/peers}
fail() { echo "peers: $1" >&2; exit 1; }

if ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
  echo "peers: installing PyTorch into $venv"
  python3 -m venv "$venv" || fail "python3 -m venv failed; install python3-venv"
  "$venv/bin/pip" install --quiet torch numpy || fail "PyTorch could not be installed"
fi
cmake --preset release >/dev/null || fail "cmake --preset release failed"
cmake --build --preset release --target portico-peer portico_opencl portico_cuda portico_hip >/dev/null || fail "the build failed"
exec "$venv/bin/python" bench/peers/peers.py --program build/release/bin/portico-peer "$@"
