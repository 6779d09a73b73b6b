"""Runs one engine over the files that files.mjs made, and prints a line of JSON for each file.

    python engine.py ENGINE FOLDER [--tract PROGRAM]

A line: the file, and the largest difference from onnxruntime-node over batches of 1, 3 and 64, relative
to the largest magnitude of each output (or 1, if that is larger), or what the engine said against it.
Each engine loads copies: some write into the file that they are given.
"""
import base64, json, os, shutil, subprocess, sys, tempfile
from pathlib import Path
import numpy as np

TOLERANCE = 1e-4


def onnxruntime(path):
    import onnxruntime as ort
    ort.set_default_logger_severity(3)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda feeds: dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))


def openvino(path):
    import openvino as ov
    # Openvino reads and computes in float32 then; its default may be bfloat16 on some processors.
    compiled = ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda feeds: {o.get_any_name(): v for o, v in compiled(feeds).items()}


def opencv(path):
    import cv2
    def run(feeds):
        net = cv2.dnn.readNetFromONNX(path)
        for name, value in feeds.items():
            net.setInput(value, name)
        names = net.getUnconnectedOutLayersNames()
        return dict(zip(names, net.forward(names)))
    return run


def reference(path):
    from onnx.reference import ReferenceEvaluator
    evaluator = ReferenceEvaluator(path)
    return lambda feeds: dict(zip(evaluator.output_names, evaluator.run(None, feeds)))


def checker(path):
    import onnx
    onnx.checker.check_model(path, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True)
    free = {d.dim_param for i in inferred.graph.input for d in i.type.tensor_type.shape.dim if d.dim_param}
    for value in inferred.graph.value_info:
        for d in value.type.tensor_type.shape.dim:
            if not d.HasField("dim_value") and len(free) == 1 and not d.dim_param.endswith(tuple(free)):
                raise ValueError(f"{value.name} has lost the name of its batch")
    return reference(path)


def names(path):
    """The names of the inputs and of the outputs, in the file's order."""
    case = json.loads((Path(sys.argv[2]) / Path(path).with_suffix(".1.json").name).read_text())
    return [t["name"] for t in case["inputs"]], [t["name"] for t in case["outputs"]]


def onnx2torch(path):
    import torch
    from onnx2torch import convert
    inputs, outputs = names(path)
    module = convert(path).eval()
    def run(feeds):
        with torch.no_grad():
            result = module(*[torch.from_numpy(feeds[name]) for name in inputs])
        results = [result] if torch.is_tensor(result) else list(result)
        return dict(zip(outputs, [r.numpy() for r in results]))
    return run


def onnxsim(path):
    import onnx, onnxsim
    simple, right = onnxsim.simplify(onnx.load(path))
    if not right:
        raise ValueError("onnxsim's own check failed")
    onnx.save(simple, path)
    return onnxruntime(path)


def onnxslim(path):
    import onnx, onnxslim
    onnx.save(onnxslim.slim(onnx.load(path)), path)
    return onnxruntime(path)


def mnn(path):
    import MNN
    converted = path.replace(".onnx", ".mnn")
    # Without its command, which installs a package that reports on each conversion.
    code = "import MNN, sys, _tools; _tools.mnnconvert(sys.argv)"
    args = ["-f", "ONNX", "--modelFile", path, "--MNNModel", converted, "--bizCode", "gpn"]
    subprocess.run([sys.executable, "-c", code, *args], check=True, capture_output=True)
    inputs, outputs = names(path)
    net = MNN.nn.load_module_from_file(converted, inputs, outputs)
    def run(feeds):
        given = [MNN.expr.const(feeds[n].ctypes.data, list(feeds[n].shape), MNN.expr.NCHW) for n in inputs]
        results = net.forward(given)
        return {n: MNN.expr.convert(r, MNN.expr.NCHW).read().copy() for n, r in zip(outputs, results)}
    return run


def onnx2tf(path):
    import onnx2tf as converter
    folder = path.replace(".onnx", "-tf")
    def run(feeds):
        import tensorflow as tf
        module = tf.saved_model.load(folder)
        signature = module.signatures["serving_default"]
        result = signature(**{n: tf.constant(v) for n, v in feeds.items()})
        return {n: v.numpy() for n, v in result.items()}
    converter.convert(input_onnx_file_path=path, output_folder_path=folder, non_verbose=True,
                      output_signaturedefs=True, keep_shape_absolutely_input_names=None)
    return run


def tract(path):
    program = sys.argv[sys.argv.index("--tract") + 1]
    def run(feeds):
        out = path + ".out"
        args = []
        for i, (name, value) in enumerate(feeds.items()):
            value.tofile(f"{path}.{i}")
            args.append(",".join([f"{path}.{i}", *map(str, value.shape)]))
        done = subprocess.run([program, path, out, *args], capture_output=True, text=True)
        if done.returncode:
            raise ValueError(done.stderr.strip().splitlines()[0])
        return np.fromfile(out, np.float32)
    return run


def arrays(tensors):
    return {t["name"]: np.frombuffer(base64.b64decode(t["data"]), np.float32).reshape(t["shape"]) for t in tensors}


def difference(found, expected):
    if isinstance(found, np.ndarray):  # all outputs, one behind the other
        sizes = np.cumsum([v.size for v in expected.values()])[:-1]
        found = dict(zip(expected, np.split(found, sizes)))
    worst = 0.0
    for name, right in expected.items():
        # Where an engine has names of its own, a single output is the only one.
        value = found[name] if name in found else next(iter(found.values())) if len(expected) == 1 else found[name]
        if value.size != right.size:
            raise ValueError(f"{name} has the shape {value.shape} in place of {right.shape}")
        away = np.abs(np.asarray(value, np.float32).ravel() - right.ravel()).max()
        worst = max(worst, float(away) / max(1.0, float(np.abs(right).max())))
    return worst if np.isfinite(worst) else float("inf")


def measure(engine, file, folder, scratch):
    copy = shutil.copy(folder / file, scratch)
    try:
        run = engine(copy)
        worst = 0.0
        for batch in (1, 3, 64):
            case = json.loads((folder / f"{file[:-5]}.{batch}.json").read_text())
            feeds = {name: value.copy() for name, value in arrays(case["inputs"]).items()}
            worst = max(worst, difference(run(feeds), arrays(case["outputs"])))
        return {"file": file, "difference": worst, "right": worst <= TOLERANCE}
    except BaseException as error:
        reason = " ".join((str(error).strip() or type(error).__name__).split())
        return {"file": file, "right": False, "reason": reason[:400]}


if __name__ == "__main__":
    engine, folder = globals()[sys.argv[1]], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        for file in sorted(p.name for p in folder.glob("*.onnx")):
            print("@" + json.dumps(measure(engine, file, folder, scratch)), flush=True)
