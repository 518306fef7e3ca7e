#!/usr/bin/env bash
# A worker and a router from unpacked images, and a request; called by check.sh through enter.sh.
set -euo pipefail
folder=$1
chroot=$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)
pids=()
stop() {
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  wait
}
trap stop EXIT

# start ROLE ARGUMENT...: unpacks its image and runs its entrypoint as its user.
start() {
  local role=$1 root=$folder/$1 entrypoint
  shift
  mkdir -p "$root"
  mapfile -t entrypoint < <(deploy/images/unpack.py "app/target/images/sluice-$role.tar" "$root")
  mkdir -p "$root/dev" "$root/proc" "$root/run" && chmod 777 "$root/run"
  mount --rbind /dev "$root/dev" && mount --rbind /proc "$root/proc"
  env -i PATH=/opt/java/bin:/opt/java/openjdk/bin:/usr/bin HOME=/tmp SLUICE_HOME=/var/cache/sluice \
    "$chroot" --userspec=10001:10001 "$root" "${entrypoint[@]}" --port-file=/run/ports "$@" >"$folder/$role.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 600); do
    [[ -e $root/run/ports ]] && return
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.2
  done
  cat "$folder/$role.log" >&2
  return 1
}

port() { sed -n "s/^$2=//p" "$folder/$1/run/ports"; }

start worker --port=0 --telemetry.metrics-port=0 --model=/opt/sluice/train/tiny.gguf --memory=1GiB
start router --port=0 --http-port=0 --telemetry.metrics-port=0 "--workers=127.0.0.1:$(port worker grpc)"
for _ in $(seq 600); do
  curl -fsS "http://127.0.0.1:$(port router http)/health" >/dev/null 2>&1 && break
  sleep 0.2
done
curl -fsS "http://127.0.0.1:$(port router http)/v1/completions" -d '{"prompt": "x", "max_tokens": 4}' >"$folder/answer"
grep -q '"completion_tokens":4' "$folder/answer" || { cat "$folder/answer" "$folder"/*.log >&2 && exit 1; }
grep -h ' ready after \| listens on ' "$folder"/*.log
ps -o uid=,comm= -p "${pids[0]}" | grep -q '10001' || { echo "the worker does not run as 10001" >&2 && exit 1; }
echo "images: a worker and a router of them answered"
