#!/usr/bin/env bash
# Checks a machine's GPU with the kit of pack.sh: unpacked there, without network.
#
#   ./check.sh [--devices cpu,webgpu,cuda] [--out FOLDER] [--steps 20] [--batches 64,512] [--timeout S]
#
# Prints a table and writes it to FOLDER/table.md and table.json. A stage that fails or outlasts its
# time does not stop the others; the exit code is 3 if any failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
has() { [ -e "/lib/x86_64-linux-gnu/$1" ] || [ -e "/usr/lib/x86_64-linux-gnu/$1" ] || [ -e "/usr/lib64/$1" ]; }

own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
for path in "$here"/lib/*; do has "${path##*/}" || cp "$path" "$own/"; done
libraries=$own

# The driver's Vulkan part, where no description of it is installed.
if [ -z "${VK_ICD_FILENAMES:-}${VK_DRIVER_FILES:-}" ] && ! compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null &&
  ! compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null; then
  found=$(find / -xdev \( -name 'libGLX_nvidia.so.0' -o -name 'libEGL_nvidia.so.0' \) 2>/dev/null | sort -r | head -1)
  [ -n "$found" ] || found=$(find /usr/local/nvidia /usr/lib -name 'libGLX_nvidia.so.0' 2>/dev/null | head -1)
  if [ -n "$found" ]; then
    printf '{"file_format_version":"1.0.0","ICD":{"library_path":"%s","api_version":"1.3.0"}}' "$found" >"$own/nvidia.json"
    export VK_ICD_FILENAMES=$own/nvidia.json VK_DRIVER_FILES=$own/nvidia.json
    libraries=$libraries:${found%/*}
  fi
fi

# CUDA: the provider beside ONNX Runtime's library, and the libraries of Python's packages.
native=$here/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64
if [ -d "$here/cuda" ]; then cp -n "$here"/cuda/*.so "$native/"; fi
if command -v python3 >/dev/null; then
  cuda=$(python3 - <<'PYTHON'
import pathlib, sys
folders = [f for p in sys.path if p for f in pathlib.Path(p).glob("nvidia/*/lib")]
folders += [f for p in sys.path if p for f in pathlib.Path(p).glob("torch/lib")]
print(":".join(str(f) for f in folders))
PYTHON
  )
  [ -z "$cuda" ] || libraries=$libraries:$cuda
fi
export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mkdir -p "$here/app/scripts/gpu" && cp "$here/check.mjs" "$here/app/scripts/gpu/"
"$here/bin/node" "$here/app/scripts/gpu/check.mjs" "$@"
