#!/usr/bin/env bash
# Runs the kit of pack.sh where there is nothing but a shell, libc and a Vulkan driver in software:
# no network, no other files. Needs Debian's busybox-static and chromium, whose driver it takes.
#
#   scripts/gpu/in-empty-root.sh FOLDER [check.sh's options]
#
# The table comes back as FOLDER/gpu-check.
set -euo pipefail
parts=$(cd "${1:?Usage: in-empty-root.sh FOLDER}" && pwd)
shift
driver=/usr/lib/chromium
for file in /bin/busybox "$driver/libvk_swiftshader.so"; do
  [ -e "$file" ] || { echo "There is no $file: apt-get install busybox-static chromium" >&2; exit 2; }
done
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,proc,dev,tmp,kit,driver,lib64,lib/x86_64-linux-gnu}
cp /bin/busybox "$root/bin/"
for name in sh env tar gzip dirname; do ln -s busybox "$root/bin/$name"; done
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
for name in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1; do
  cp -L "/lib/x86_64-linux-gnu/$name" "$root/lib/x86_64-linux-gnu/"
done
cp "$driver"/{libvk_swiftshader.so,vk_swiftshader_icd.json} "$root/driver/"
cat "$parts"/gpn-gpu.tar.gz.* | chroot "$root" /bin/tar -xz -C /kit
find "$root" -path "$root/kit" -prune -o -type f -print | sed "s|^$root||"

code=0
# The first process of a new name space of processes, so that all end with it.
unshare --net --mount --pid --fork sh -c '
  mount -t proc proc "$0/proc"
  mount --bind /dev "$0/dev"
  exec chroot "$0" /bin/env -i PATH=/bin HOME=/tmp \
    VK_ICD_FILENAMES=/driver/vk_swiftshader_icd.json /kit/check.sh --out /tmp/gpu-check "$@"
' "$root" "$@" || code=$?
rm -rf "$parts/gpu-check"
cp -r "$root/tmp/gpu-check" "$parts/"
exit "$code"
