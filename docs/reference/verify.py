"""Checks the certificate of a gpn model file without gpn: docs/reference/certificate.md says how it is made.

    python verify.py [--engine onnxruntime|openvino] MODEL.onnx...       needs numpy, onnx and the engine
"""
import argparse, json, sys
from statistics import NormalDist
import numpy as np, onnx

M = 0xFFFFFFFF

def threefry(key, counter):
    k = [*key, 0x1BD11BDA ^ key[0] ^ key[1]]
    x, y = (counter[0] + k[0]) & M, (counter[1] + k[1]) & M
    for i in range(20):
        r, g = (13, 15, 26, 6, 17, 29, 16, 24)[i % 8], i // 4 + 1
        x = (x + y) & M; y = ((y << r | y >> 32 - r) & M) ^ x
        if i % 4 == 3: x, y = (x + k[g % 3]) & M, (y + k[(g + 1) % 3] + g) & M
    return x, y

def fnv1a(text, h=0x811C9DC5):
    for byte in text.encode(): h = (h ^ byte) * 0x01000193 & M
    return h

def words(seed, *path):
    key = (seed & M, seed >> 32)
    for element in path: key = threefry(key, (fnv1a(element), M))
    block = 0
    while True:
        yield from threefry(key, (block & M, block >> 32)); block += 1

def uniform(source, n, low=-1, high=1):
    return np.array([low + (high - low) / 2**25 * (2 * (next(source) >> 8) + 1) for _ in range(n)], np.float32)

def normal(source, n):
    return np.array([NormalDist().inv_cdf((next(source) + 0.5) / 2**32) for _ in range(n)], np.float32)

def below(source, n, limit):
    fair = (w % limit for w in source if w < 2**32 - 2**32 % limit)
    return [next(fair) for _ in range(n)]

def feeds(info, seed, count):
    if info["kind"] == "generator":
        draw = {"uniform": uniform, "normal": normal}[info["latent"]["distribution"]]
        size = info["latent"]["size"]
        fed = {info["input"]: draw(words(seed, "latents"), count * size).reshape(count, size)}
    else:
        height, width, channels = (info["image"][side] for side in ("height", "width", "channels"))
        shape = [count, height, width, channels * info.get("packing", 1)]
        images = uniform(words(seed, "certificate"), int(np.prod(shape)), *info["image"]["range"])
        fed = {info["input"]: images.reshape(shape)}
    if condition := info.get("condition"):
        classes = condition["classes"]
        fed[condition["input"]] = np.eye(classes, dtype=np.float32)[np.arange(count) % classes]
    if codes := info.get("codes"):
        values = uniform(words(seed, "codes"), count * codes["size"], *codes["range"])
        fed[codes["input"]] = values.reshape(count, codes["size"])
    return fed

def run(engine, path, fed, output):
    if engine == "openvino":
        import openvino
        model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return model(fed)[output]
    import onnxruntime
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run([output], fed)[0]

def difference(path, engine):
    entries = {p.key: p.value for p in onnx.load(path).metadata_props}
    info = json.loads(entries["gpn"])
    golden = info["certificate"]
    found = run(engine, path, feeds(info, golden["seed"], golden["count"]), info["output"]).ravel().astype(np.float64)
    at = below(words(golden["seed"], "certificate", "positions"), len(golden["values"]), found.size)
    found = [*found[at], found.mean(), np.sqrt((found**2).mean())]
    right = [*golden["values"], golden["mean"], golden["rms"]]
    return np.abs(np.subtract(found, right)).max() / max(1, golden["rms"]), golden["tolerance"]["cpu"]

parser = argparse.ArgumentParser(description="Checks the certificate of a gpn model file.")
parser.add_argument("--engine", choices=["onnxruntime", "openvino"], default="onnxruntime")
parser.add_argument("model", nargs="+")
options = parser.parse_args()
results = [(path, *difference(path, options.engine)) for path in options.model]
for path, away, allowed in results: print(f"{'ok' if away <= allowed else 'DIFFERS'} {away:.1e} of {allowed:.0e}  {path}")
sys.exit(0 if all(away <= allowed for _, away, allowed in results) else 3)
