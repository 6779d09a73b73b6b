"""The training step of gan-mnist in PyTorch, to be timed in turns with ours.

    python3 test/peers/gan_mnist.py --steps 50 --threads 2              # milliseconds a step
    python3 test/peers/gan_mnist.py --check FILE.safetensors            # its losses on our weights

FILE holds a starting state of ours, and `images` (uint8) and `latents` of one batch.
"""
import torch
from torch import nn

from common import check, count, measure, options, read_safetensors

LATENT = 100
args = options()


def block(inputs, outputs):
    return nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.LeakyReLU(0.2)


generator = nn.Sequential(
    nn.Linear(LATENT, 128), nn.LeakyReLU(0.2),
    *block(128, 256), *block(256, 512), *block(512, 1024),
    nn.Linear(1024, 784), nn.Tanh(),
)
discriminator = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 512), nn.LeakyReLU(0.2),
    nn.Linear(512, 256), nn.LeakyReLU(0.2),
    nn.Linear(256, 1),
)
assert count(generator) == 1_510_032 and count(discriminator) == 533_505

d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
bce = nn.BCEWithLogitsLoss()


def step(pixels, latents):
    real = pixels.float() * (2 / 255) - 1
    fake = generator(latents)
    d_optimizer.zero_grad(set_to_none=True)
    on_real, on_fake = discriminator(real), discriminator(fake.detach())
    d_loss = bce(on_real, torch.ones_like(on_real)) + bce(on_fake, torch.zeros_like(on_fake))
    d_loss.backward()
    d_optimizer.step()
    g_optimizer.zero_grad(set_to_none=True)
    judged = discriminator(fake)
    g_loss = bce(judged, torch.ones_like(judged))
    g_loss.backward()
    g_optimizer.step()
    return d_loss, g_loss


def take(network, tensors, role):
    """Puts our tensors in place; a dense layer's kernel is [in, out] there."""
    denses = [m for m in network if isinstance(m, nn.Linear)]
    norms = [m for m in network if isinstance(m, nn.BatchNorm1d)]
    for i, module in enumerate(denses, 1):
        module.weight.data.copy_(tensors[f"{role}/params/dense{i}/kernel"].T)
        module.bias.data.copy_(tensors[f"{role}/params/dense{i}/bias"])
    for i, module in enumerate(norms, 1):
        module.weight.data.copy_(tensors[f"{role}/params/norm{i}/scale"])
        module.bias.data.copy_(tensors[f"{role}/params/norm{i}/offset"])


if args.check:
    tensors = read_safetensors(args.check)
    take(generator, tensors, "generator")
    take(discriminator, tensors, "discriminator")
    check(step, tensors)
else:
    measure(step, lambda rows: torch.randn(rows, LATENT), args)
