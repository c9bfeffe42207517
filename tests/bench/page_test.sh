#!/bin/bash
# page_test.sh PORTICO_BENCH: the report in headless Chromium. The picture must hold something, and a click must sort.
set -uo pipefail
bench=$1
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
  echo "skipped: no chromium here"
  exit 77
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/a.json" <<'JSON'
{"context": {"devices": [{"label": "opencl:0", "name": "d", "limits": {"copy_bytes_per_second": 1e10, "fma_f32_flops": 1e11}}]},
 "benchmarks": [
  {"name": "g/b/opencl:0/own", "suite": "g", "workload": "b", "device": "opencl:0", "column": "own", "median_seconds": 0.3, "flops_per_call": 1e9, "bytes_per_call": 1e8},
  {"name": "g/a/opencl:0/own", "suite": "g", "workload": "a", "device": "opencl:0", "column": "own", "median_seconds": 0.2, "flops_per_call": 1e9, "bytes_per_call": 1e8},
  {"name": "g/c/opencl:0/own", "suite": "g", "workload": "c", "device": "opencl:0", "column": "own", "median_seconds": 0.1, "flops_per_call": 1e9, "bytes_per_call": 1e8}]}
JSON
"$bench" report "$folder/a.json" -o "$folder/page.html" || exit 1
run() { timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$folder/profile" "$@" 2>/dev/null; }

run --hide-scrollbars --window-size=1200,1600 --screenshot="$folder/page.png" "file://$folder/page.html" >/dev/null
size=$(stat -c %s "$folder/page.png" 2>/dev/null || echo 0)
[ "$size" -gt 20000 ] || { echo "error: the picture of the page has $size bytes: nothing was drawn"; exit 1; }

# The same page with a click on the second heading and what the table then shows as the page's text.
sed 's#</body>#<script>document.querySelectorAll("th")[1].click(); document.title = [...document.querySelectorAll("tbody tr td:first-child")].map(c => c.textContent).join("");</script></body>#' \
  "$folder/page.html" >"$folder/clicked.html"
order=$(run --dump-dom "file://$folder/clicked.html" | grep -o '<title>[^<]*' | head -1)
[ "$order" = "<title>cab" ] || { echo "error: sorted by time the workloads are '$order', not cab"; exit 1; }
echo "page drawn ($size bytes), sorted: ${order#<title>}"
