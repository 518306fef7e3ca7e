#!/usr/bin/env bash
# One training run for each role inside an unpacked image; the caches are left in
# FOLDER/var/cache/sluice/aot. Called by build.sh through enter.sh.
set -euo pipefail
root=$1
out=/var/cache/sluice/aot
chroot=$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)
mkdir -p "$root$out" && chmod 777 "$root$out" "$root/var/cache/sluice"
read -r classpath <"$root/opt/sluice/jib-classpath-file"
java=$(for path in opt/java/bin opt/java/openjdk/bin usr/bin; do [[ -x $root/$path/java ]] && echo "/$path/java" && break; done)

# record ROLE UNTIL ARGUMENT...: ends when its input does, that is when UNTIL returns.
record() {
  local role=$1 until=$2
  shift 2
  "$until" | { env -i HOME=/tmp SLUICE_HOME=/var/cache/sluice "$chroot" "$root" "$java" "@/opt/sluice/jvm/$role.options" \
    --enable-native-access=ALL-UNNAMED -Dsluice.exit-with-parent=true "-XX:AOTCacheOutput=$out/$role.aot" \
    -cp "$classpath" dev.sluice.app.Main "$role" "$@" >"$root$out/$role.log" 2>&1 || true
  touch "$root$out/$role.ended"; }
}
until_listening() { until [[ -e $root$out/router.ports || -e $root$out/router.ended ]]; do sleep 0.1; done; }
until_ready() { until grep -q ' ready after ' "$root$out/worker.log" 2>/dev/null || [[ -e $root$out/worker.ended ]]; do sleep 0.1; done; }
record router until_listening --port 0 --http-port 0 --telemetry.metrics-port 0 --port-file $out/router.ports &
record worker until_ready --port 0 --telemetry.metrics-port 0 --model /opt/sluice/train/tiny.gguf --memory 1GiB &
wait
for role in router worker; do
  [[ -e $root$out/$role.aot ]] || { tail -n 20 "$root$out/$role.log" >&2 && exit 1; }
done
