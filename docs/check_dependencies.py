#!/usr/bin/env python3
"""Asks the OSV database (https://osv.dev) for known vulnerabilities of what a CycloneDX list names.

Usage: check_dependencies.py app/target/bom.json [--osv URL]

Prints a line for each finding. Exit codes: 0 none, 1 some, 2 the list or the database cannot be read. Only names and
versions are sent. Needs a network, so it is no part of the build: run it on a schedule.
"""
import argparse
import json
import sys
import urllib.request

BATCH = 500  # of at most 1000 that OSV takes


def purls(path):
    with open(path, encoding="utf-8") as file:
        components = json.load(file)["components"]
    ours = "pkg:maven/dev.sluice/"
    # OSV refuses qualifiers such as ?type=jar
    return sorted({c["purl"].split("?")[0] for c in components if not c["purl"].startswith(ours)})


def ask(url, batch):
    body = json.dumps({"queries": [{"package": {"purl": purl}} for purl in batch]}).encode()
    request = urllib.request.Request(url + "/v1/querybatch", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["results"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bom", help="CycloneDX, JSON")
    parser.add_argument("--osv", default="https://api.osv.dev", help="the database's address")
    options = parser.parse_args()
    found = 0
    try:
        packages = purls(options.bom)
        for start in range(0, len(packages), BATCH):
            batch = packages[start : start + BATCH]
            for purl, result in zip(batch, ask(options.osv, batch), strict=True):
                for vulnerability in result.get("vulns", []):
                    found += 1
                    print(f"{purl}: {vulnerability['id']}")
    except (OSError, KeyError, ValueError) as e:
        print(f"{options.bom}, {options.osv}: {e}", file=sys.stderr)
        return 2
    print(f"{len(packages)} packages, {found} known vulnerabilities", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
