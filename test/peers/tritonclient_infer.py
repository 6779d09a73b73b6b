"""What `tritonclient.mjs` starts: infers the models of a list at a server, and compares the bits."""
import json
import sys

import numpy as np
import tritonclient.http as triton

host, path = sys.argv[1:]
with open(path) as file:
    models = json.load(file)
client = triton.InferenceServerClient(host)
assert client.is_server_live() and client.is_server_ready()
assert client.get_server_metadata()["name"] == "gpn-cli"
listed = {model["name"] for model in client.get_model_repository_index()}
assert listed == {model["name"] for model in models}, listed

def read(tensor):
    return np.fromfile(tensor["path"], np.float32).reshape(tensor["shape"])

wrong = 0
for model in models:
    name = model["name"]
    assert client.is_model_ready(name)
    metadata = client.get_model_metadata(name)
    for kind in ("inputs", "outputs"):
        assert {each["name"] for each in metadata[kind]} == {each["name"] for each in model[kind]}
    for binary in (False, True):
        inputs = []
        for tensor in model["inputs"]:
            inputs.append(triton.InferInput(tensor["name"], tensor["shape"], "FP32"))
            inputs[-1].set_data_from_numpy(read(tensor), binary_data=binary)
        outputs = [triton.InferRequestedOutput(each["name"], binary_data=binary) for each in model["outputs"]]
        result = client.infer(name, inputs, outputs=outputs, request_id="r")
        for tensor in model["outputs"]:
            found = result.as_numpy(tensor["name"]).astype(np.float32)
            if found.tobytes() != read(tensor).tobytes():
                wrong += 1
                print(name, tensor["name"], "binary" if binary else "JSON", "differs by",
                      np.abs(found - read(tensor)).max())
print(f"{len(models)} models by tritonclient, as JSON and as bytes: {wrong} outputs differ")
sys.exit(1 if wrong else 0)
