"""What tf2onnx makes of a TensorFlow.js model: `peer.py MODEL.json OURS.onnx THEIRS.onnx`.

Prints a line of JSON. Our file, which was compared with TensorFlow.js, gives the right values on random
inputs; a model that has no file of ours is only said to run.

    python3 -m venv venv && venv/bin/pip install tf2onnx==1.17.0 tensorflow-cpu onnxruntime onnx 'numpy<2'
"""
import json
import os
import subprocess
import sys
import time

import numpy as np
import onnxruntime as ort

TOLERANCE = 1e-3
TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}


def finish(**result):
    print(json.dumps(result))
    sys.exit(0)


def opened(path):
    ort.set_default_logger_severity(4)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def plain(name):
    return name.removesuffix(":0").removesuffix("_output")


def draw(rng, tensor):
    shape = [d if isinstance(d, int) else 2 for d in tensor.shape]
    dtype = TYPES[tensor.type]
    if dtype == np.float32:
        return rng.random(shape, np.float32)
    return rng.integers(0, 2, shape).astype(dtype)


model, ours, out = sys.argv[1:]
if os.path.exists(out):
    os.remove(out)
start = time.time()
command = [sys.executable, "-m", "tf2onnx.convert", "--tfjs", model, "--output", out]
try:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
except subprocess.TimeoutExpired:
    finish(right=False, reason="not done in 600 s")
seconds = round(time.time() - start, 1)
if not os.path.exists(out):
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    finish(right=False, converted=False, reason=lines[-1] if lines else "no file", seconds=seconds)
try:
    theirs = opened(out)
except Exception as error:
    finish(right=False, converted=True, reason=f"does not open: {error}", seconds=seconds)
right = opened(ours) if os.path.exists(ours) else None
rng = np.random.default_rng(0)
feeds = {plain(x.name): draw(rng, x) for x in (right or theirs).get_inputs()}
try:
    named = {x.name: feeds[plain(x.name)] for x in theirs.get_inputs()}
    results = theirs.run(None, named)
except Exception as error:
    finish(right=False, converted=True, reason=f"does not run: {error}", seconds=seconds)
if right is None:
    finish(right=False, converted=True, reason="runs; no right values to compare with", seconds=seconds)
expected = dict(zip([plain(x.name) for x in right.get_outputs()], right.run(None, feeds)))
found = dict(zip([plain(x.name) for x in theirs.get_outputs()], results))
if set(found) != set(expected):
    found = dict(zip(expected, results))
worst = 0.0
for name, value in expected.items():
    if name not in found or found[name].shape != value.shape:
        finish(right=False, converted=True, reason=f"{name} has another shape", seconds=seconds)
    far = np.abs(found[name].astype(np.float64) - value.astype(np.float64))
    scale = max(float(np.max(np.abs(value), initial=0)), 1e-3)
    worst = max(worst, float(np.max(far, initial=0)) / scale)
shown = f"{worst:.1e}"
if worst <= TOLERANCE:
    finish(right=True, converted=True, difference=shown, seconds=seconds)
finish(right=False, converted=True, reason=f"wrong by {shown}", seconds=seconds)
