#!/usr/bin/env bash
# Runs other people's clients against a real fleet: see README.md beside this script.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$here/target
mkdir -p "$work"
failed=0

report() { # WHAT STATUS: prints how it ended
  if [ "$2" -eq 0 ]; then echo "ok     $1"; else echo "FAILED $1"; failed=1; fi
}

venv() { # NAME PACKAGES...: a virtual environment of its own
  local name=$1
  shift
  [ -x "$work/$name/bin/python" ] || python3 -m venv "$work/$name"
  "$work/$name/bin/pip" install -q "$@"
}

tool() { # NAME MODULE: where a Go tool is
  command -v "$1" || { [ -x "$work/$1" ] || GOBIN=$work go install "$2" >&2; echo "$work/$1"; }
}

fleet=""
stop() {
  if [ -n "$fleet" ]; then
    kill -INT "$fleet" && wait "$fleet"
  fi
}
trap stop EXIT

if [ -z "${SLUICE_TARGET:-}" ]; then
  "$root/sluice" up --workers 2 --port 0 > "$work/fleet.out" 2> "$work/fleet.err" &
  fleet=$!
  for _ in $(seq 600); do
    grep -q '^router ' "$work/fleet.out" && break
    kill -0 "$fleet" 2>/dev/null || { cat "$work/fleet.err"; fleet=""; exit 1; }
    sleep 1
  done
  SLUICE_TARGET=$(sed -n 's/^router //p' "$work/fleet.out")
  SLUICE_HTTP=$(sed -n 's/^http //p' "$work/fleet.out")
fi
echo "fleet: gRPC $SLUICE_TARGET, HTTP $SLUICE_HTTP"

echo "== openai"
venv python openai 'tritonclient[grpc]' && "$work/python/bin/python" "$here/openai_client.py" "$SLUICE_HTTP"
report openai $?

echo "== tritonclient"
"$work/python/bin/python" "$here/triton_client.py" "$SLUICE_TARGET"
report tritonclient $?

echo "== grpcurl"
grpcurl=$(tool grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl@latest)
model=$("$grpcurl" -plaintext "$SLUICE_TARGET" sluice.v1.GenerationService/ListModels |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["models"][0]["id"])')
"$grpcurl" -plaintext "$SLUICE_TARGET" list | grep -q inference.GRPCInferenceService
report "grpcurl: reflection" $?
"$grpcurl" -plaintext -d '{"text": "The capital of France is", "stopping": {"max_tokens": 8}}' \
  "$SLUICE_TARGET" sluice.v1.GenerationService/Generate | grep -q '"finished"'
report "grpcurl: Generate" $?
prompt=$(printf 'Once upon a time' | base64)
infer='{"model_name": "'$model'", "inputs": [{"name": "text_input", "datatype": "BYTES", "shape": [1],
  "contents": {"bytes_contents": ["'$prompt'"]}}], "parameters": {"max_tokens": {"int64_param": 8}}}'
"$grpcurl" -plaintext -d "$infer" "$SLUICE_TARGET" inference.GRPCInferenceService/ModelInfer | grep -q text_output
report "grpcurl: ModelInfer" $?
"$grpcurl" -plaintext -d "$infer" "$SLUICE_TARGET" inference.GRPCInferenceService/ModelStreamInfer | grep -q text_output
report "grpcurl: ModelStreamInfer" $?

echo "== ghz"
ghz=$(tool ghz github.com/bojand/ghz/cmd/ghz@latest)
for call in "inference.GRPCInferenceService.ModelInfer|$infer" \
  'sluice.v1.GenerationService.Generate|{"text": "Once upon a time", "stopping": {"max_tokens": 8}}'; do
  "$ghz" --insecure --call "${call%%|*}" -d "${call#*|}" -n 100 -c 20 "$SLUICE_TARGET" > "$work/ghz.txt"
  sed -n '/Summary/,/Requests/p; /Status code/,$p' "$work/ghz.txt"
  grep -Eq '\[OK\] +100 responses' "$work/ghz.txt"
  report "ghz: ${call%%|*}" $?
done

load() { # NAME COMMAND...: a load generator that may not be there
  local name=$1
  shift
  if venv "$name" "$name" > "$work/$name.log" 2>&1; then
    (cd "$work" && timeout 300 "$@") >> "$work/$name.log" 2>&1
    local status=$?
    tail -n 40 "$work/$name.log"
    report "$name" $status
  else
    echo "-      $name cannot be installed here"
  fi
}

echo "== aiperf"
load aiperf "$work/aiperf/bin/aiperf" profile --model "$model" --url "$SLUICE_HTTP" --endpoint-type chat \
  --streaming --concurrency 4 --request-count 20 --synthetic-input-tokens-mean 32 --output-tokens-mean 16 \
  --tokenizer builtin --ui simple
exit $failed
