"""Writes what ONNX Runtime says of the operators in a GPU's graph, for CudaGraphTest.

  pip install onnxruntime==1.29.0
  python operator_schemas.py OperatorKernels.md > .../graph/operator_schemas.json

The schemas are those that the package reports. It has no CUDA kernels; which types those take is
read from docs/OperatorKernels.md of the same version of ONNX Runtime's sources, which its build
generates from the kernel registry.
"""

import json
import re
import sys

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

OPSET = {"": 21, "com.microsoft": 1}
OPERATORS = [
    ("", "Cast"),
    ("", "Gather"),
    ("", "Gemm"),
    ("", "Mul"),
    ("", "SimplifiedLayerNormalization"),
    ("", "Split"),
    ("com.microsoft", "GatherBlockQuantized"),
    ("com.microsoft", "MatMulNBits"),
    ("com.microsoft", "PagedAttention"),
    ("com.microsoft", "QuickGelu"),
    ("com.microsoft", "SkipSimplifiedLayerNormalization"),
]


def name(enumerated):
    return str(enumerated).rsplit(".", 1)[-1]


def element(tensor):
    return re.fullmatch(r"tensor\((.*)\)", tensor).group(1)


def parameters(parameters):
    return [
        {"name": p.name, "type": p.typeStr, "option": name(p.option).lower()} for p in parameters
    ]


def schema(domain, operator):
    versions = [
        s
        for s in native.get_all_operator_schema()
        if s.domain == domain and s.name == operator and s.since_version <= OPSET[domain]
    ]
    return max(versions, key=lambda s: s.since_version)


def cuda_types(lines, operator, version):
    """Types by type parameter, from the row of the table whose version range has the version."""
    current = None
    for line in lines:
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)]
        if len(cells) < 5:
            continue
        current = cells[1] or current
        if current != operator:
            continue
        bounds = [int(b) for b in re.findall(r"\d+", cells[3])]
        if bounds[0] <= version and (cells[3].endswith("+") or version <= bounds[-1]):
            return {
                parameter: re.findall(r"tensor\((\w+)\)", types)
                for parameter, types in re.findall(r"\*\*(\w+)\*\* = ([^<]*)", cells[4])
            }
    raise SystemExit(f"{operator}: no CUDA kernel of version {version}")


def main():
    text = open(sys.argv[1]).read()
    begin = text.index("## Operators implemented by CUDAExecutionProvider")
    lines = text[begin : text.index("\n## Operators implemented by", begin + 1)].split("\n")
    result = []
    for domain, operator in OPERATORS:
        s = schema(domain, operator)
        result.append(
            {
                "domain": domain,
                "name": operator,
                "version": s.since_version,
                "inputs": parameters(s.inputs),
                "outputs": parameters(s.outputs),
                "attributes": {
                    a: {"type": name(v.type), "required": v.required}
                    for a, v in sorted(s.attributes.items())
                },
                "types": {
                    t.type_param_str: [element(a) for a in t.allowed_type_strs]
                    for t in s.type_constraints
                },
                "cuda": cuda_types(lines, operator, s.since_version),
            }
        )
    json.dump({"onnxruntime": onnxruntime.__version__, "operators": result}, sys.stdout, indent=1)
    print()


main()
