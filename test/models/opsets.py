"""Checks the files FOLDER/*/OPSET.onnx: ONNX's checker takes each, its opset is the one of its name, and
onnxruntime computes of random numbers what it computes with the highest opset, to 1e-5 of the largest.

    python opsets.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(3)
NUMPY = {
    "tensor(float)": np.float32,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": bool,
}


def inputs_of(session, random):
    def values(spec):
        shape = [size if isinstance(size, int) else 2 for size in spec.shape]
        dtype = NUMPY[spec.type]
        return random.random(shape, np.float32) if dtype is np.float32 else np.ones(shape, dtype)

    return {spec.name: values(spec) for spec in session.get_inputs()}


def difference(ours, other):
    a, b = np.asarray(ours, np.float64), np.asarray(other, np.float64)
    if a.shape != b.shape:
        return np.inf
    return np.abs(a - b).max() / max(np.abs(b).max(), 1e-30) if a.size else 0


right, wrong = 0, 0
models = sorted(Path(sys.argv[1]).iterdir())
for model in models:
    given = expected = None
    for file in sorted(model.glob("*.onnx"), key=lambda path: -int(path.stem)):
        try:
            onnx.checker.check_model(str(file), full_check=True)
            opsets = [each.version for each in onnx.load(str(file)).opset_import if each.domain in ("", "ai.onnx")]
            assert opsets == [int(file.stem)], f"its opsets are {opsets}"
            session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
            given = given or inputs_of(session, np.random.default_rng(0))
            found = session.run(None, given)
            expected = expected or found
            far = max((difference(*pair) for pair in zip(found, expected)), default=0)
            assert far <= 1e-5, f"it differs by {far:.1e}"
            right += 1
        except Exception as error:
            wrong += 1
            print(f"{(model / 'name').read_text()}, opset {file.stem}: {error}")
print(f"{right} files right, {wrong} wrong, of {len(models)} models")
sys.exit(wrong > 0)
