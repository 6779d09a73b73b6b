#!/usr/bin/env bash
# Packs what scripts/gpu/check.sh needs on a bare x86-64 Linux without network, in archives of at
# most 60 MB, and prints their sizes.
#
#   scripts/gpu/pack.sh FOLDER           # after npm ci, on x86-64 Debian or Ubuntu
#   CUDA=1 scripts/gpu/pack.sh FOLDER    # with the CUDA provider of PyPI's onnxruntime-gpu as well
set -euo pipefail
out=$(mkdir -p "${1:?Usage: pack.sh FOLDER}" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
kit=$(mktemp -d)
trap 'rm -rf "$kit"' EXIT

npm run build >/dev/null
mkdir -p "$kit/app/test" "$kit/bin" "$kit/lib/c++" "$kit/lib/vulkan"
cp "$(readlink -f "$(command -v node)")" "$kit/bin/node"
# Libraries that a bare machine may lack: check.sh uses them only where it does.
library() {
  local path
  path=$(ldconfig -p | awk -v name="$1" '$1 == name && /x86-64/ { print $NF; exit }')
  [ -n "$path" ] || { echo "pack.sh needs $1: apt-get install libvulkan1 libstdc++6" >&2; exit 2; }
  cp -L "$path" "$kit/lib/$2/"
}
library libstdc++.so.6 c++
library libgcc_s.so.1 c++
library libvulkan.so.1 vulkan
cp scripts/gpu/check.sh "$kit/"

# The packages that a run needs. Not those for pages, picture files, charts and installation.
left='/(sharp|@img|detect-libc|echarts|zrender|onnxruntime-web|adm-zip|global-agent|typescript|vite)(/|$)'
npm ls --all --omit=dev --parseable | sed "s|^$PWD/||" | grep '^node_modules/' |
  grep -Ev "$left" >"$kit/packages"
tar -c --exclude='*.map' --exclude='*.d.ts' --exclude='onnxruntime-node/bin/napi-v6/darwin' \
  --exclude='onnxruntime-node/bin/napi-v6/win32' --exclude='onnxruntime-node/bin/napi-v6/linux/arm64' \
  --exclude='*/src' --exclude='*/test' --exclude='*.tsbuildinfo' \
  -T "$kit/packages" package.json models export runtime training cli scripts/gpu | tar -x -C "$kit/app"
cp -r test/peers "$kit/app/test/"
rm "$kit/packages"

if [ -n "${CUDA:-}" ]; then
  # The provider belongs beside ONNX Runtime's library of the same version.
  version=$(node -p 'require("onnxruntime-node/package.json").version')
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 -d "$kit/wheel" "onnxruntime-gpu==$version"
  python3 - "$kit"/wheel/*.whl "$kit/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64" <<'PYTHON'
import pathlib, sys, zipfile
wheel, folder = sys.argv[1:]
for name in zipfile.ZipFile(wheel).namelist():
    if name.endswith(("providers_cuda.so", "providers_shared.so")):
        pathlib.Path(folder, pathlib.Path(name).name).write_bytes(zipfile.ZipFile(wheel).read(name))
PYTHON
  rm -r "$kit/wheel"
fi

# gzip, because a bare machine may have no xz.
rm -f "$out"/gpn-gpu.tar.gz.*
tar -c -C "$kit" . | gzip -9 | split -b 60000000 -d - "$out/gpn-gpu.tar.gz."
du -b "$out"/gpn-gpu.tar.gz.*
echo "There: cat gpn-gpu.tar.gz.* | tar -xz && ./check.sh"
