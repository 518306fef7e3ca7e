#!/usr/bin/env bash
# Runs other people's clients against a real fleet, and prints a table: see README.md beside this
# script. Environment: SLUICE_TARGET and SLUICE_HTTP name a fleet that is there.
# Exit status: 0 if every check passed, else 1.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$here/target
mkdir -p "$work"
failed=0

row() { # CLIENT WHAT RESULT SECONDS NOTE
  echo "| $1 | $2 | $3 | $4 | $5 |"
}

check() { # CLIENT WHAT COMMAND...: a row for whether the command succeeds; what it writes to $note is told
  local client=$1 what=$2 began=$SECONDS result=ok
  shift 2
  note=""
  "$@" > "$work/last.log" 2>&1 || result=FAILED
  row "$client" "$what" "$result" $((SECONDS - began)) "$note"
  if [ "$result" = FAILED ]; then
    failed=1
    tail -n 20 "$work/last.log" | sed 's/^/    /' >&2
  fi
}

says() { # PATTERN COMMAND...: whether the command succeeds and its output has a line of this pattern
  local pattern=$1
  shift
  "$@" > "$work/said.txt" 2>&1
  local status=$?
  cat "$work/said.txt"
  [ "$status" -eq 0 ] && grep -Eq "$pattern" "$work/said.txt"
}

venv() { # NAME PACKAGES...: a virtual environment of its own
  local name=$1
  shift
  [ -x "$work/$name/bin/python" ] || python3 -m venv "$work/$name"
  "$work/$name/bin/pip" install -q --disable-pip-version-check "$@"
}

tool() { # NAME MODULE: where a Go tool is
  command -v "$1" || { [ -x "$work/$1" ] || GOBIN=$work go install "$2" >&2; echo "$work/$1"; }
}

fleet=""
stop() {
  if [ -n "$fleet" ]; then
    kill -TERM "$fleet" && wait "$fleet" # INT is ignored by what a script starts in the background
  fi
}
trap stop EXIT

if [ -z "${SLUICE_TARGET:-}" ]; then
  # On a busy machine a step may take long: nobody is to be given up for that here.
  "$root/sluice" up --workers 2 --port 0 --router-flag=--fleet.stall-timeout=5m \
    --router-flag=--fleet.silence-timeout=5m > "$work/fleet.out" 2> "$work/fleet.err" &
  fleet=$!
  for _ in $(seq 1200); do
    grep -q '^http ' "$work/fleet.out" && break
    kill -0 "$fleet" 2>/dev/null || { cat "$work/fleet.err" >&2; fleet=""; exit 1; }
    sleep 1
  done
  SLUICE_TARGET=$(sed -n 's/^router //p' "$work/fleet.out")
  SLUICE_HTTP=$(sed -n 's/^http //p' "$work/fleet.out")
fi
[ -n "$SLUICE_TARGET" ] && [ -n "${SLUICE_HTTP:-}" ] || { echo "run.sh: no fleet (expected: SLUICE_TARGET and SLUICE_HTTP)" >&2; exit 1; }
GRPCURL=$(tool grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl@latest)
export SLUICE_TARGET SLUICE_HTTP GRPCURL
echo "fleet: gRPC $SLUICE_TARGET, HTTP $SLUICE_HTTP"
echo
row client "what is tried" result seconds note
row --- --- --- ---: ---

if venv python openai 'tritonclient[grpc]' > "$work/python.log" 2>&1; then
  "$work/python/bin/python" "$here/openai_client.py" "$SLUICE_HTTP" || failed=1
  "$work/python/bin/python" "$here/triton_client.py" "$SLUICE_TARGET" || failed=1
else
  row "openai, tritonclient" install FAILED "" "$work/python.log"
  failed=1
fi

call() { # METHOD [JSON]: by grpcurl
  "$GRPCURL" -plaintext ${2:+-d "$2"} "$SLUICE_TARGET" "$1"
}
model=$(call sluice.v1.GenerationService/ListModels |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["models"][0]["id"])')
prompt=$(printf 'Once upon a time' | base64)
infer='{"model_name": "'$model'", "inputs": [{"name": "text_input", "datatype": "BYTES", "shape": [1],
  "contents": {"bytes_contents": ["'$prompt'"]}}], "parameters": {"max_tokens": {"int64_param": 8}}}'
generate='{"text": "Once upon a time", "stopping": {"max_tokens": 8}}'
check grpcurl "reflection" says inference.GRPCInferenceService "$GRPCURL" -plaintext "$SLUICE_TARGET" list
check grpcurl "health" says SERVING call grpc.health.v1.Health/Check
check grpcurl "Generate" says '"finished"' call sluice.v1.GenerationService/Generate "$generate"
check grpcurl "ModelInfer" says text_output call inference.GRPCInferenceService/ModelInfer "$infer"
check grpcurl "ModelStreamInfer" says text_output call inference.GRPCInferenceService/ModelStreamInfer "$infer"

ghz=$(tool ghz github.com/bojand/ghz/cmd/ghz@latest)
hundred() { # CALL JSON: 100 requests, 20 at a time, by reflection
  says '\[OK\] +100 responses' "$ghz" --insecure --timeout 5m --call "$1" -d "$2" -n 100 -c 20 "$SLUICE_TARGET"
  local status=$?
  note=$(sed -nE 's/^\s*(Average|Slowest|Requests\/sec):\s*/\1 /p' "$work/said.txt" | paste -sd, | sed 's/,/, /g')
  return $status
}
check ghz "ModelInfer, 100 requests, 20 at a time" hundred inference.GRPCInferenceService.ModelInfer "$infer"
check ghz "Generate, 100 requests, 20 at a time" hundred sluice.v1.GenerationService.Generate "$generate"

# Its tokenizer would come from a hub: it gets the model's own, which a worker sends.
profile() {
  python3 "$here/fetch_tokenizer.py" "$work/tokenizer" || return
  (cd "$work" && timeout 600 aiperf/bin/aiperf profile --model "$model" \
    --url "$SLUICE_HTTP" --endpoint-type chat --streaming --concurrency 4 --request-count 20 \
    --synthetic-input-tokens-mean 32 --output-tokens-mean 16 --tokenizer "$work/tokenizer" --ui none)
}
if venv aiperf aiperf > "$work/aiperf.log" 2>&1; then
  version="aiperf $("$work/aiperf/bin/python" -c 'import importlib.metadata as m; print(m.version("aiperf"))')"
  check "$version" "streamed chats, 4 at a time" profile
else
  row aiperf "cannot be installed here" - "" "$work/aiperf.log"
fi
exit $failed
