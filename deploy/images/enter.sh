#!/usr/bin/env bash
# Runs a program with /dev and /proc of this machine mounted in an unpacked image, in a mount
# namespace of its own: nothing is left behind.
#
# Usage: deploy/images/enter.sh FOLDER PROGRAM ARGUMENT...   which enters it by chroot itself
set -euo pipefail
root=$1
shift
mkdir -p "$root/dev" "$root/proc"
flags=(--mount)
[[ $(id -u) == 0 ]] || flags+=(--map-root-user)
exec unshare "${flags[@]}" bash -c '
  root=$1 && shift
  mount --rbind /dev "$root/dev" && mount --rbind /proc "$root/proc" && exec "$@"' enter "$root" "$@"
