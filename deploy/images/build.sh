#!/usr/bin/env bash
# Builds app/target/images/sluice-router.tar and sluice-worker.tar with Jib: no container engine.
#
# Usage: deploy/images/build.sh [--base IMAGE] [--no-aot] [MAVEN OPTION...]
#   --base   a name in a registry (default: eclipse-temurin:25-jre), or tar://FILE as `docker save`
#            writes; `--base local` makes one from this machine's JDK (deploy/images/base.py)
#   --no-aot without the cache of loaded classes, which is trained inside the image's own files
#            (needs Linux; root or user namespaces)
# Then: docker load -i app/target/images/sluice-router.tar, or skopeo copy docker-archive:FILE docker://NAME
# Exit: 0 done, 1 failed, 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
base=eclipse-temurin:25-jre aot=yes options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --base) base=$2 && shift 2 ;;
    --no-aot) aot= && shift ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" && exit ;;
    -*) options+=("$1") && shift ;;
    *) echo "build.sh: $1 (expected: an option)" >&2 && exit 2 ;;
  esac
done
images=$PWD/app/target/images
rm -rf "$images/aot" && mkdir -p "$images/aot"

if [[ $base == local ]]; then
  deploy/images/base.py -o "$images/base.tar"
  base=tar://$images/base.tar
fi

jib() {
  mvn -q -B -Pfast,image -Dmaven.test.skip=true package "-Dimage.base=$base" ${options[@]+"${options[@]}"}
}

jib
if [[ $aot ]]; then
  # Trained with the very files that will run: Java of the base, jars at their places and times.
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  deploy/images/unpack.py "$images"/sluice-worker*.tar "$root"
  deploy/images/enter.sh "$root" deploy/images/train.sh "$root"
  cp "$root"/var/cache/sluice/aot/*.aot "$images/aot/"
  jib
fi
ls -lh "$images"/*.tar
