"""Writes ONNX's operator tests as JSON lines: python export.py > cases.jsonl. Needs the package onnx."""
import json
import sys

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

KINDS = {"float32", "int32", "int64", "uint32", "bool"}


def array(value):
    value = np.asarray(value)
    if str(value.dtype) not in KINDS:
        return {"dtype": str(value.dtype), "shape": list(value.shape), "data": None}
    data = [None if v != v else "inf" if v == np.inf else "-inf" if v == -np.inf else v for v in value.astype(object).ravel().tolist()]
    return {"dtype": str(value.dtype), "shape": list(value.shape), "data": [int(v) if isinstance(v, bool) else v for v in data]}


def attribute(a):
    if a.type == onnx.AttributeProto.GRAPH or a.type == onnx.AttributeProto.GRAPHS:
        return {"graph": True}
    value = onnx.helper.get_attribute_value(a)
    if isinstance(value, onnx.TensorProto):
        return array(numpy_helper.to_array(value))
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)):
        return [v.decode() if isinstance(v, bytes) else v for v in value]
    return value


def tensors(values, names):
    out = {}
    for name, value in zip(names, values):
        if value is None:
            continue
        if isinstance(value, (list, dict)) or not hasattr(value, "dtype"):
            out[name] = {"dtype": "sequence", "shape": [], "data": None}
        else:
            out[name] = array(value)
    return out


for test in load_model_tests(kind="node"):
    model = test.model
    graph = model.graph
    (inputs, outputs) = test.data_sets[0]
    print(json.dumps({
        "name": test.name,
        "rtol": test.rtol,
        "atol": test.atol,
        "opset": {o.domain: o.version for o in model.opset_import},
        "inputs": tensors(inputs, [i.name for i in graph.input]),
        "outputs": tensors(outputs, [o.name for o in graph.output]),
        "constants": {i.name: array(numpy_helper.to_array(i)) for i in graph.initializer},
        "nodes": [{"op": n.op_type, "domain": n.domain, "inputs": list(n.input), "outputs": list(n.output), "attributes": {a.name: attribute(a) for a in n.attribute}} for n in graph.node],
        "functions": len(model.functions),
    }))
print(onnx.__version__, file=sys.stderr)
