"""What the peers share: their options, our files, and the ways in which a step is used."""
import argparse
import json
import struct
import time

import numpy as np
import torch
from torch import nn
from torch_version import torch_version

BATCH = 64


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check")
    parser.add_argument("--train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    return args


def count(network):
    return sum(p.numel() for p in network.parameters())


def read_safetensors(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), file.read()
    types = {"F32": np.float32, "U8": np.uint8}
    return {
        name: torch.from_numpy(
            np.frombuffer(data[slice(*t["data_offsets"])], types[t["dtype"]]).reshape(t["shape"]).copy()
        )
        for name, t in header.items()
        if name != "__metadata__"
    }


def take(network, tensors, role, kind):
    """Puts our tensors in place; kernels are [height, width, in or out, out or in] there."""
    convs = [m for m in network if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
    norms = [m for m in network if isinstance(m, nn.BatchNorm2d)]
    for i, module in enumerate(convs, 1):
        kernel = tensors[f"{role}/params/{kind}{i}/kernel"]
        target = module.weight_orig if hasattr(module, "weight_orig") else module.weight
        target.data.copy_(kernel.permute(3, 2, 0, 1))
        if hasattr(module, "weight_u"):
            module.weight_u.copy_(tensors[f"{role}/buffers/{kind}{i}/u"].flatten())
            v = tensors[f"{role}/buffers/{kind}{i}/v"].reshape(kernel.shape[:3])
            module.weight_v.copy_(v.permute(2, 0, 1).flatten())
    for i, module in enumerate(norms, 1):
        module.weight.data.copy_(tensors[f"{role}/params/norm{i}/scale"])
        module.bias.data.copy_(tensors[f"{role}/params/norm{i}/offset"])


def check(step, tensors):
    """Prints the losses of three steps on our batch; `images` are [batch, height, width, channels]."""
    pixels = tensors["images"].permute(0, 3, 1, 2)
    losses = [[loss.item() for loss in step(pixels, tensors["latents"])] for _ in range(3)]
    print(json.dumps(losses))


def measure(step, noise, args, shape=(1, 28, 28)):
    """Prints the median of the milliseconds that a step takes, after three that are not counted."""
    pixels = torch.randint(0, 256, (BATCH, *shape), dtype=torch.uint8)
    times = []
    for i in range(args.steps + 3):
        latents = noise(BATCH)
        begun = time.perf_counter()
        step(pixels, latents)
        if i >= 3:
            times.append(1000 * (time.perf_counter() - begun))
    median = sorted(times)[len(times) // 2]
    report = {"msPerStep": median, "torch": torch_version()}
    print(json.dumps(report) if args.json else f"{median:.2f} ms a step, PyTorch {report['torch']}")
