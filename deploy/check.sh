#!/usr/bin/env bash
# Checks what is in deploy/ with the tools that will read it: Helm, kubeconform with the schemas of
# Kubernetes, Prometheus Operator and KEDA, promtool, systemd-analyze, the schema of compose files,
# and Sluice itself for every configuration. Tools and schemas are fetched once into deploy/target.
#
# SLUICE names the launcher (./sluice).
#
# Usage: deploy/check.sh [PART...]   parts: helm rules systemd compose config images; all by default
# Needs: Go, Python 3; promtool and systemd-analyze, whose parts fail without them.
# Exit: 0 all is well, 1 something is not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=$PWD/deploy/target/tools
schemas=$PWD/deploy/target/schemas
manifests=$PWD/deploy/target/manifests
chart=deploy/helm/sluice
kubernetes=1.34.0
mkdir -p "$tools" "$schemas/kubernetes" "$schemas/crd" "$manifests"
failed=0

say() { printf '%s\n' "$*"; }
wrong() {
  printf 'WRONG: %s\n' "$*" >&2
  failed=1
}

# tool NAME MODULE: a Go program, installed if it is not here.
tool() {
  [[ -x $tools/$1 ]] && return
  if command -v "$1" >/dev/null; then
    ln -sf "$(command -v "$1")" "$tools/$1"
  else
    GOBIN=$tools go install "$2"
  fi
}

# module NAME@VERSION: the folder of a Go module's files, downloaded if it is not here.
module() {
  (cd "$tools" && GOFLAGS=-mod=mod go mod download -json "$1") | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p'
}

python() {
  if [[ ! -x $tools/python/bin/python ]]; then
    python3 -m venv "$tools/python"
    "$tools/python/bin/pip" install -q kubernetes-validate==1.37.0 pyyaml jsonschema
  fi
  "$tools/python/bin/python" "$@"
}

fetch_schemas() {
  [[ -e $schemas/kubernetes/deployment-apps-v1.json ]] ||
    python deploy/schemas.py kubernetes $kubernetes "$schemas/kubernetes"
  [[ -e $schemas/crd/podmonitor-monitoring-v1.json ]] ||
    python deploy/schemas.py crd "$schemas/crd" "$(module github.com/prometheus-operator/prometheus-operator@v0.85.0)"/example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml
  [[ -e $schemas/crd/scaledobject-keda-v1alpha1.json ]] ||
    python deploy/schemas.py crd "$schemas/crd" "$(module github.com/kedacore/keda/v2@v2.17.0)"/config/crd/bases/keda.sh_scaledobjects.yaml
}

check_helm() {
  tool helm helm.sh/helm/v3/cmd/helm@v3.22.0
  tool kubeconform github.com/yannh/kubeconform/cmd/kubeconform@latest
  fetch_schemas
  local values name
  for values in $chart/values.yaml $chart/ci/*-values.yaml; do
    name=$(basename "$values" .yaml) && name=${name%-values}
    "$tools/helm" lint --strict --quiet --kube-version $kubernetes -f "$values" $chart || wrong "helm lint with $name"
    "$tools/helm" template sluice $chart -n serving --kube-version $kubernetes -f "$values" >"$manifests/$name.yaml" || wrong "helm template with $name"
    "$tools/kubeconform" -strict -summary \
      -schema-location "$schemas/kubernetes/{{ .ResourceKind }}{{ .KindSuffix }}.json" \
      -schema-location "$schemas/crd/{{ .ResourceKind }}{{ .KindSuffix }}.json" \
      "$manifests/$name.yaml" || wrong "manifests with $name"
  done
  # What must be refused before anything is installed.
  refused "a GPU without memory" --set worker.device=cuda:0,worker.gpus=1,worker.model.quantization=none
  refused "int8 on a GPU" --set worker.device=cuda:0,worker.gpus=1,worker.memory=20GiB
  refused "an unknown value" --set worker.replica=3
  refused "two autoscalers" --set worker.autoscaling.keda.enabled=true,worker.autoscaling.hpa.enabled=true
}

refused() {
  local what=$1
  shift
  if "$tools/helm" template sluice $chart --kube-version $kubernetes "$@" >/dev/null 2>&1; then wrong "the chart takes $what"; fi
}

check_rules() {
  promtool check rules deploy/prometheus/rules.yml || wrong rules.yml
  promtool check config --syntax-only deploy/prometheus/prometheus.yml || wrong prometheus.yml
  promtool check config --syntax-only deploy/compose/prometheus.yml || wrong compose/prometheus.yml
}

check_systemd() {
  local folder unit exposure
  folder=$(mktemp -d)
  # verify wants the program to be there.
  printf '#!/bin/sh\n' >"$folder/sluice" && chmod +x "$folder/sluice"
  for unit in deploy/systemd/*.service; do
    sed "s|/opt/sluice/sluice|$folder/sluice|" "$unit" >"$folder/$(basename "$unit")"
  done
  systemd-analyze verify --man=no "$folder/sluice-router.service" "$folder/sluice-worker@0.service" || wrong "a unit"
  for unit in deploy/systemd/*.service; do
    exposure=$(systemd-analyze security --offline=true --no-pager "$unit" | sed -n 's/^.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
    say "$(basename "$unit"): exposure $exposure of 10"
    [[ ${exposure%.*} -lt 2 ]] || wrong "$unit: exposure $exposure (expected: below 2)"
  done
  rm -r "$folder"
}

check_compose() {
  local spec
  spec=$(module github.com/compose-spec/compose-go/v2@v2.9.0)/schema/compose-spec.json
  python - "$spec" deploy/compose/compose.yaml deploy/compose/compose.gpu.yaml <<'PYTHON' || wrong "a compose file"
import json, pathlib, sys
import jsonschema, yaml
validator = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
problems = 0
for name in sys.argv[2:]:
    compose = yaml.safe_load(open(name))
    for error in validator.iter_errors(compose):
        print(f"{name}: {'/'.join(map(str, error.path))}: {error.message}")
        problems += 1
    for service, parts in compose["services"].items():
        for volume in parts.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith(".") and not pathlib.Path(name).parent.joinpath(source).exists():
                print(f"{name}: {service}: {source} is missing")
                problems += 1
    print(f"{name}: {len(compose['services'])} services")
sys.exit(problems > 0)
PYTHON
  if docker compose version >/dev/null 2>&1; then
    docker compose -f deploy/compose/compose.yaml -f deploy/compose/compose.gpu.yaml config -q || wrong "docker compose config"
  fi
}

# Every configuration, also those that the chart writes, is one that Sluice takes.
check_config() {
  local file role folder
  folder=$(mktemp -d)
  for file in deploy/config/*.yaml; do cp "$file" "$folder/"; done
  for file in "$manifests"/*.yaml; do
    [[ -e $file ]] && python - "$file" "$folder" <<'PYTHON'
import pathlib, sys
import yaml
for manifest in yaml.safe_load_all(open(sys.argv[1])):
    if manifest and manifest["kind"] == "ConfigMap":
        for name, text in manifest["data"].items():
            role = name.removesuffix(".yaml")
            pathlib.Path(sys.argv[2], f"{role}-of-chart-{pathlib.Path(sys.argv[1]).stem}.yaml").write_text(text)
PYTHON
  done
  for file in "$folder"/*.yaml; do
    role=$(basename "$file" .yaml)
    if "${SLUICE:-./sluice}" "${role%%-*}" --print-config --config "$file" >/dev/null; then
      say "$(basename "$file"): taken"
    else
      wrong "$(basename "$file")"
    fi
  done
  rm -r "$folder"
}

check_images() {
  deploy/images/check.sh || wrong "the images"
}

for part in "${@:-helm}"; do
  case $part in
    helm | rules | systemd | compose | config | images) ;;
    *) say "unknown part: $part (expected: helm, rules, systemd, compose, config or images)" >&2 && exit 2 ;;
  esac
done
parts=("$@")
[[ $# -gt 0 ]] || parts=(helm rules systemd compose config images)
for part in "${parts[@]}"; do
  say "== $part"
  "check_$part"
done
exit $failed
