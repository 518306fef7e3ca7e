#!/usr/bin/env python3
"""Writes JSON schemas as kubeconform takes them: one file for each kind, complete in itself.

    schemas.py kubernetes VERSION FOLDER      of Kubernetes, from the package kubernetes-validate
    schemas.py crd FOLDER CRD.yaml...         of CustomResourceDefinitions; unknown fields are refused

Needs PyYAML, and kubernetes-validate for the first."""
import json
import pathlib
import sys

import yaml

SHARED = "_definitions.json"


def references(schema):
    """Names of the shared definitions that a schema refers to."""
    if isinstance(schema, dict):
        target = schema.get("$ref", "")
        if isinstance(target, str) and target:
            yield target.rsplit("/", 1)[1]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def local(schema):
    """The schema with references to its own definitions."""
    if isinstance(schema, dict):
        return {key: "#" + value.split("#", 1)[1] if key == "$ref" and isinstance(value, str) else local(value) for key, value in schema.items()}
    return [local(item) for item in schema] if isinstance(schema, list) else schema


def kubernetes(version, folder):
    import kubernetes_validate

    source = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{version}-local-strict"
    shared = json.loads(source.joinpath(SHARED).read_text())["$defs"]
    for file in source.glob("*.json"):
        schema = json.loads(file.read_text())
        if "x-kubernetes-group-version-kind" not in schema:
            continue
        needed, new = set(), set(references(schema))
        while new:
            needed |= new
            new = {name for known in new for name in references(shared[known])} - needed
        schema.pop("$id", None)
        schema["$defs"] = {name: shared[name] for name in sorted(needed)}
        pathlib.Path(folder, file.name).write_text(json.dumps(local(schema)))


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


def crd(folder, *files):
    for file in files:
        for definition in yaml.safe_load_all(pathlib.Path(file).read_text()):
            group, kind = definition["spec"]["group"].split(".")[0], definition["spec"]["names"]["kind"].lower()
            for version in definition["spec"]["versions"]:
                path = pathlib.Path(folder, f"{kind}-{group}-{version['name']}.json")
                path.write_text(json.dumps(strict(version["schema"]["openAPIV3Schema"])))


if __name__ == "__main__":
    {"kubernetes": kubernetes, "crd": crd}[sys.argv[1]](*sys.argv[2:])
