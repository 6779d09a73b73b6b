"""What tf2onnx makes of TensorFlow.js models. Reads a job a line, as JSON, and answers with a line each.

A job is {label, model: MODEL.json, ours: OURS.onnx, theirs: THEIRS.onnx}, and has `values`, a file of
kinds.py, if TensorFlow's own are known: then the answer says of our file, too, how far it is from them.
Without `theirs`, tf2onnx is not asked. Without values, our file, which was compared with TensorFlow.js, gives the right values on random inputs;
a model that has no file of ours is only said to run.

    python3 -m venv venv && venv/bin/pip install tf2onnx==1.17.0 tensorflow-cpu onnxruntime onnx 'numpy<2' 'ml_dtypes<0.6'
"""
import json
import os
import resource
import sys
import time
import warnings

import numpy as np
import onnxruntime as ort

if not hasattr(np, "product"):  # or else each conversion fails by it, and the table blames tf2onnx
    sys.exit(f"tf2onnx 1.17 needs numpy below 2, not {np.__version__}: pip install 'numpy<2'")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tf2onnx.convert  # noqa: E402  takes seconds: once, and a process of its own for each model after it
import tf2onnx.tfjs_utils  # noqa: E402
from tensorflow.core.framework import types_pb2  # noqa: E402

warnings.filterwarnings("ignore", category=DeprecationWarning)
TOLERANCE = 1e-3
# Ours, beside values that TensorFlow or Keras itself computed.
KNOWN = 1e-5
TIME = 600
# TensorFlow 2.21 reads no _FusedConv2D of an older graph: it asks for an attribute that was added since.
LACKS = "missing attr 'TArgs'"
READ = tf2onnx.tfjs_utils.tfjs_node_to_tf_node_def
TYPES = {
    "tensor(float)": np.float32,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class Wrong(Exception):
    """Says in a few words what is wrong with a file."""


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


def results(session, feeds):
    # tf2onnx makes inputs of some nodes that nothing reads.
    given = lambda x: feeds.get(plain(x.name), np.zeros([d for d in x.shape if isinstance(d, int)]))  # noqa: E731
    named = {x.name: given(x).astype(TYPES[x.type]) for x in session.get_inputs()}
    return dict(zip([plain(x.name) for x in session.get_outputs()], session.run(None, named)))


def difference(found, expected):
    """The largest one, of the largest value of its output."""
    if set(found) != set(expected):
        found = dict(zip(expected, found.values()))
    worst = 0.0
    for name, value in expected.items():
        if name not in found or found[name].shape != value.shape:
            raise Wrong(f"{name} has another shape")
        far = np.abs(found[name].astype(np.float64) - value.astype(np.float64))
        scale = max(float(np.max(np.abs(value), initial=0)), 1e-3)
        worst = max(worst, float(np.max(far, initial=0)) / scale)
    return worst


def with_types(read):
    """tfjs_utils.tfjs_node_to_tf_node_def, with the attribute that an older graph lacks."""

    def node_def(node):
        made = read(node)
        if made.op == "_FusedConv2D" and "TArgs" not in made.attr:
            count = made.attr["num_args"].i
            made.attr["TArgs"].list.type.extend([types_pb2.DT_FLOAT] * count)
        return made

    return node_def


def convert(model, out, filled):
    """Runs tf2onnx's command in a process of its own; what it said last, if it made no file."""
    log = f"{out}.log"
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (TIME, TIME))
        sys.stdout = sys.stderr = open(log, "w")
        os.dup2(sys.stderr.fileno(), 1)
        os.dup2(sys.stderr.fileno(), 2)
        if filled:
            tf2onnx.tfjs_utils.tfjs_node_to_tf_node_def = with_types(READ)
        sys.argv = ["tf2onnx", "--tfjs", model, "--output", out]
        try:
            tf2onnx.convert.main()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}")
        sys.stderr.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"not done in {TIME} s of processor"
    if os.path.exists(out):
        return ""
    lines = [line for line in open(log).read().strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no file"


def checked(step, run):
    try:
        return run()
    except Wrong:
        raise
    except Exception as error:
        raise Wrong(f"{step}: {error}") from error


def judged(path, feeds, expected, tolerance=TOLERANCE):
    """How far a file is from what is expected of it."""
    try:
        session = checked("does not open", lambda: opened(path))
        if expected is None:
            rng = np.random.default_rng(0)
            drawn = {plain(x.name): draw(rng, x) for x in session.get_inputs()}
            checked("does not run", lambda: results(session, drawn))
            raise Wrong("runs; no right values to compare with")
        found = checked("does not run", lambda: results(session, feeds))
        worst = difference(found, expected)
        if not worst <= tolerance:
            raise Wrong(f"wrong by {worst:.1e}")
        return {"right": True, "difference": f"{worst:.1e}"}
    except Wrong as error:
        return {"right": False, "reason": str(error).replace(f"Load model from {path} failed:", "")}


def known(values):
    arrays = np.load(values)
    return [
        {name[2:]: arrays[name] for name in arrays if name.startswith(start)} for start in ("x_", "y_")
    ]


def by_ours(path):
    session = opened(path)
    rng = np.random.default_rng(0)
    feeds = {plain(x.name): draw(rng, x) for x in session.get_inputs()}
    return feeds, results(session, feeds)


def answer(model, ours, theirs=None, values=None, **_):
    there = os.path.exists(ours)
    feeds, expected = known(values) if values else by_ours(ours) if there else (None, None)
    return {
        **({"peer": converted(model, theirs, feeds, expected)} if theirs else {}),
        **({"ours": judged(ours, feeds, expected, KNOWN)} if values and there else {}),
    }


def converted(model, theirs, feeds, expected):
    if os.path.exists(theirs):
        os.remove(theirs)
    start = time.time()
    reason = convert(model, theirs, filled=False)
    filled = LACKS in reason
    if filled:
        reason = convert(model, theirs, filled=True)
    seconds = round(time.time() - start, 1)
    made = os.path.exists(theirs)
    peer = judged(theirs, feeds, expected) if made else {"right": False, "reason": reason}
    return {"converted": made, "seconds": seconds, **({"filled": True} if filled else {}), **peer}


for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"label": job["label"], **answer(**job)}), flush=True)
