#!/bin/sh
# Checks a machine's GPU with the kit of pack.sh: unpacked there, without network. It needs a shell and
# libc. `./check.sh --help` says more.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# C++'s libraries come with the kit for a machine that has none.
"$here/bin/node" -e 0 2>/dev/null ||
  export LD_LIBRARY_PATH="$here/lib/c++${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/bin/node" "$here/app/scripts/gpu/check.mjs" "$@"
