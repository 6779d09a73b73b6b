"""What the peers share: their options, our weights, the step, and the ways in which it is used."""
import argparse
import json
import struct
import time

import numpy as np
import torch
from torch import nn
from torch_version import torch_version

# The names that our layers of a kind have, and how our kernels become PyTorch's: ours are [height,
# width, in, out], [height, width, out, in] if transposed, and [in, out].
KINDS = {
    nn.Conv2d: ("conv", lambda kernel: kernel.permute(3, 2, 0, 1)),
    nn.ConvTranspose2d: ("deconv", lambda kernel: kernel.permute(3, 2, 0, 1)),
    nn.Linear: ("dense", lambda kernel: kernel.T),
}


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--check")
    parser.add_argument("--train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    if args.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("PyTorch finds no CUDA device")
    if args.device != "cpu":  # Debian's PyTorch, of version 1, has no such function
        torch.set_default_device(args.device)
    return args


def count(network):
    return sum(p.numel() for p in network.parameters())


def adversarial(generator, discriminator, d_optimizer, g_optimizer, pixel_range, on_real=1.0):
    """The step of a GAN; `labels` are one-hot classes, for both networks."""
    bce = nn.BCEWithLogitsLoss()
    low, high = pixel_range

    def step(pixels, latents, *labels):
        real = pixels.float() * ((high - low) / 255) + low
        fake = generator(latents, *labels)
        d_optimizer.zero_grad(set_to_none=True)
        real_scores, fake_scores = discriminator(real, *labels), discriminator(fake.detach(), *labels)
        d_loss = bce(real_scores, torch.full_like(real_scores, on_real))
        d_loss = d_loss + bce(fake_scores, torch.zeros_like(fake_scores))
        d_loss.backward()
        d_optimizer.step()
        g_optimizer.zero_grad(set_to_none=True)
        judged = discriminator(fake, *labels)
        g_loss = bce(judged, torch.ones_like(judged))
        g_loss.backward()
        g_optimizer.step()
        return d_loss, g_loss

    step.optimizers = d_optimizer, g_optimizer
    return step


def start_normal(network):
    """The weights' standard deviation is 0.02, as Radford et al. (2016) have it; biases are 0."""
    for module in network.modules():
        weight = getattr(module, "weight_orig", getattr(module, "weight", None))
        if weight is not None:
            nn.init.normal_(weight, 1 if isinstance(module, nn.BatchNorm2d) else 0, 0.02)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)


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


def take(network, tensors, role):
    """Puts our tensors in place."""
    for kind, (name, transposed) in KINDS.items():
        for i, module in enumerate((m for m in network.modules() if isinstance(m, kind)), 1):
            layer = f"{role}/params/{name}{i}"
            kernel = tensors[f"{layer}/kernel"]
            getattr(module, "weight_orig", module.weight).data.copy_(transposed(kernel))
            if module.bias is not None:
                module.bias.data.copy_(tensors[f"{layer}/bias"])
            if hasattr(module, "weight_u"):
                buffers = f"{role}/buffers/{name}{i}"
                module.weight_u.copy_(tensors[f"{buffers}/u"].flatten())
                v = tensors[f"{buffers}/v"].reshape(kernel.shape[:3])
                module.weight_v.copy_(v.permute(2, 0, 1).flatten())
    norms = (m for m in network.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)))
    for i, module in enumerate(norms, 1):
        module.weight.data.copy_(tensors[f"{role}/params/norm{i}/scale"])
        module.bias.data.copy_(tensors[f"{role}/params/norm{i}/offset"])


def check(step, generator, discriminator, args, take=take):
    """
    Prints the losses of three steps from our weights on our batch, as the file has them, at a tenth of
    the learning rates: Adam's first update goes by the signs of the gradients, which rounding decides
    where a gradient is all but zero.
    """
    for optimizer in step.optimizers:
        for group in optimizer.param_groups:
            group["lr"] /= 10
    tensors = {name: t.to(args.device) for name, t in read_safetensors(args.check).items()}
    take(generator, tensors, "generator")
    take(discriminator, tensors, "discriminator")
    pixels = tensors["images"].permute(0, 3, 1, 2)
    labels = [tensors["labels"]] if "labels" in tensors else []
    losses = [[loss.item() for loss in step(pixels, tensors["latents"], *labels)] for _ in range(3)]
    print(json.dumps(losses))


def measure(step, shape, noise, args, classes=0):
    """
    Prints the median of the milliseconds that a step takes, after three that are not counted.

    shape: of a batch's images, [channels, height, width]; noise: latents for a number of images
    """
    pixels = torch.randint(0, 256, (args.batch, *shape), dtype=torch.uint8)
    labels = [nn.functional.one_hot(torch.arange(args.batch) % classes, classes).float()] if classes else []
    # A GPU is given its work and left to it: its time ends when all is done.
    finish = torch.cuda.synchronize if args.device == "cuda" else lambda: None
    times = []
    for i in range(args.steps + 3):
        latents = noise(args.batch)
        finish()
        begun = time.perf_counter()
        step(pixels, latents, *labels)
        finish()
        if i >= 3:
            times.append(1000 * (time.perf_counter() - begun))
    median = sorted(times)[len(times) // 2]
    report = {"msPerStep": median, "torch": torch_version()}
    print(json.dumps(report) if args.json else f"{median:.2f} ms a step, PyTorch {report['torch']}")
