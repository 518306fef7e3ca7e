#!/usr/bin/env bash
# Builds the images on a base made from this machine's JDK, unpacks them and runs what is in them, as
# their user and with their entrypoints: a worker serves, a router answers in front of it.
# Exit: 0 all is well, 1 something is not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${JAVA_HOME:?the JDK whose runtime goes into the base image}"
deploy/images/build.sh --base local "$@"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
deploy/images/enter.sh "$folder" deploy/images/run.sh "$folder"
