"""The networks resnet with their step in PyTorch: `run(side)` is the program of resnet_32.py and others."""
import torch
from torch import nn
from torch.nn import functional as F

from common import check, measure, options

LATENT, GROUP, GAMMA = 64, 32, 0.03


class Biased(nn.Module):
    """A number for each channel, added, and a leaky ReLU."""

    def __init__(self, channels):
        super().__init__()
        self.number = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return F.leaky_relu(x + self.number.view(1, -1, 1, 1), 0.2)


def conv(*shape, **options):
    return nn.Conv2d(*shape, bias=False, **options)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        inner = 2 * channels
        self.path = nn.Sequential(
            conv(channels, inner, 1), Biased(inner),
            conv(inner, inner, 3, padding=1, groups=inner // GROUP), Biased(inner),
            conv(inner, channels, 1),
        )

    def forward(self, x):
        return x + self.path(x)


class Basis(nn.Module):
    def __init__(self, side, out):
        super().__init__()
        self.kernel, self.image = nn.Parameter(torch.randn(LATENT, out)), nn.Parameter(torch.randn(out, side, side))

    def forward(self, z):
        return self.image * (z @ self.kernel)[:, :, None, None]


class Sum(nn.Module):
    def __init__(self, side, channels):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(channels, side, side))

    def forward(self, x):
        return (x * self.kernel).sum((2, 3))


class Resample(nn.Module):
    """By [1, 2, 1], as a depthwise convolution of stride 2, or its transpose."""

    def __init__(self, up):
        super().__init__()
        self.up, taps = up, torch.tensor([0.5, 1.0, 0.5]) * (1.0 if up else 0.5)
        self.register_buffer("taps", taps[:, None] * taps[None, :])

    def forward(self, x):
        channels = x.shape[1]
        taps = self.taps.expand(channels, 1, 3, 3)
        if self.up:
            return F.conv_transpose2d(x, taps, stride=2, padding=1, output_padding=1, groups=channels)
        return F.conv2d(x, taps, stride=2, padding=1, groups=channels)


def networks(side, width):
    levels = (side // 4).bit_length() - 1  # of sides 4 · 2^k
    maps = [width * 2 ** min(level, 3) for level in range(levels)]
    up, down = maps[::-1], maps
    generator = nn.Sequential(
        Basis(4, up[0]), Residual(up[0]),
        *(m for a, b in zip(up, up[1:]) for m in (conv(a, b, 1), Resample(True), Residual(b))),
        Resample(True), conv(up[-1], up[-1] // 2, 3, padding=1), Biased(up[-1] // 2),
        conv(up[-1] // 2, 3, 3, padding=1), nn.Tanh(),
    )
    discriminator = nn.Sequential(
        conv(3, down[0], 4, stride=2, padding=1), Residual(down[0]),
        *(m for a, b in zip(down, down[1:]) for m in (Resample(False), conv(a, b, 1), Residual(b))),
        Sum(4, down[-1]), nn.Linear(down[-1], 1, bias=False),
    )
    return generator, discriminator


def step_of(generator, discriminator):
    adam = dict(lr=8e-4, betas=(0.0, 0.9))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), **adam)
    g_optimizer = torch.optim.Adam(generator.parameters(), **adam)

    def penalty(scores, images):
        (slopes,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
        return GAMMA / 2 * slopes.square().sum((1, 2, 3)).mean()

    def step(pixels, latents):
        real = (pixels.float() * (2 / 255) - 1).requires_grad_()
        fake = generator(latents)
        made = fake.detach().requires_grad_()
        d_optimizer.zero_grad(set_to_none=True)
        on_real, on_fake = discriminator(real), discriminator(made)
        d_loss = F.softplus(on_fake - on_real).mean() + penalty(on_real, real) + penalty(on_fake, made)
        d_loss.backward(inputs=list(discriminator.parameters()))
        d_optimizer.step()
        g_optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            on_real = discriminator(real)
        g_loss = F.softplus(on_real - discriminator(fake)).mean()
        g_loss.backward(inputs=list(generator.parameters()))
        g_optimizer.step()
        return d_loss, g_loss

    step.optimizers = d_optimizer, g_optimizer
    return step


def take(network, tensors, role):
    """Puts our tensors in place: those of blocks by the block's number, others by their own."""
    layers = {"conv": 0, "residual": 0}
    for module in network:
        if isinstance(module, nn.Conv2d):
            layers["conv"] += 1
            kernel = tensors[f"{role}/params/conv{layers['conv']}/kernel"]
            module.weight.data.copy_(kernel.permute(3, 2, 0, 1))
        elif isinstance(module, Biased):
            module.number.data.copy_(tensors[f"{role}/params/bias1/bias"])
        elif isinstance(module, nn.Linear):
            module.weight.data.copy_(tensors[f"{role}/params/dense1/kernel"].T)
        elif isinstance(module, Basis):
            module.kernel.data.copy_(tensors[f"{role}/params/basis1/kernel"])
            module.image.data.copy_(tensors[f"{role}/params/basis1/image"].permute(2, 0, 1))
        elif isinstance(module, Sum):
            module.kernel.data.copy_(tensors[f"{role}/params/sum1/kernel"].permute(2, 0, 1))
        elif isinstance(module, Residual):
            layers["residual"] += 1
            block = f"{role}/params/residual{layers['residual']}"
            for i, part in enumerate(p for p in module.path if isinstance(p, nn.Conv2d)):
                part.weight.data.copy_(tensors[f"{block}/conv{i + 1}/kernel"].permute(3, 2, 0, 1))
            for i, part in enumerate(p for p in module.path if isinstance(p, Biased)):
                part.number.data.copy_(tensors[f"{block}/bias{i + 1}/bias"])


def run(side, width=32):
    args = options()
    generator, discriminator = networks(side, width)
    step = step_of(generator, discriminator)
    if args.check:
        check(step, generator, discriminator, args, take)
    else:
        measure(step, (3, side, side), lambda rows: torch.randn(rows, LATENT), args)
