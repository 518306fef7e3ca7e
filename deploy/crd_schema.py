#!/usr/bin/env python3
"""Writes the JSON schemas of a CustomResourceDefinition, one per version, as kubeconform looks for them.

    crd_schema.py FOLDER CRD.yaml...

Unknown fields are refused, as the API server would prune them. Needs PyYAML."""
import json
import pathlib
import sys

import yaml


def strict(schema):
    """The schema with unknown fields refused wherever fields are listed."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            result.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        result["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return result


def main(folder, *files):
    for file in files:
        for crd in yaml.safe_load_all(pathlib.Path(file).read_text()):
            group, kind = crd["spec"]["group"].split(".")[0], crd["spec"]["names"]["kind"].lower()
            for version in crd["spec"]["versions"]:
                path = pathlib.Path(folder, f"{kind}-{group}-{version['name']}.json")
                path.write_text(json.dumps(strict(version["schema"]["openAPIV3Schema"])))


if __name__ == "__main__":
    main(*sys.argv[1:])
