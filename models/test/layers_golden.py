"""Layers as PyTorch computes them, for layers.test.ts. Run from the repository root:

    python3 models/test/layers_golden.py > models/test/layers-golden.json

Inputs, weights and the output's weights in the loss are sines, so that both sides can make them.
Layouts are TensorFlow's: images [N, H, W, C], kernels [H, W, in, out] ([H, W, out, in] transposed).
"""
import json

import torch
import torch.nn.functional as F


def wave(shape, phase):
    count = int(torch.tensor(shape).prod())
    return torch.sin(phase + 0.7 * torch.arange(count, dtype=torch.float64)).reshape(shape)


def images(f):
    return lambda x, *rest: f(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1)


def kernel(w):
    return w.permute(3, 2, 0, 1)


conv = lambda **o: images(lambda x, w, b=None: F.conv2d(x, kernel(w), b, **o))
deconv = lambda **o: images(lambda x, w, b=None: F.conv_transpose2d(x, kernel(w), b, **o))
# TensorFlow's 'same' keeps 2·in of the 2·in + 1 pixels that kernel 3 and stride 2 reach: the first.
deconv_same = images(lambda x, w, b: F.conv_transpose2d(x, kernel(w), b, 2)[:, :, :-1, :-1])
dense = lambda x, w, b=None: F.linear(x, w.T, b)
norm = lambda x, scale, offset: F.batch_norm(x, None, None, scale, offset, True, 0.1, 1e-5)

CASES = {
    "conv": (conv(stride=2, padding=1), [2, 5, 4, 2], [3, 3, 2, 3], [3]),
    "conv without bias": (conv(stride=1), [1, 3, 3, 2], [2, 2, 2, 2]),
    "conv dilated": (conv(dilation=2), [1, 4, 3, 2], [2, 2, 2, 2], [2]),
    "deconv": (deconv(stride=2, padding=1), [2, 2, 3, 2], [4, 4, 3, 2]),
    "deconv same": (deconv_same, [2, 2, 3, 2], [3, 3, 2, 2], [2]),
    "dense": (dense, [3, 4], [4, 2], [2]),
    "dense without bias": (dense, [3, 4], [4, 2]),
    "batchNorm of images": (images(norm), [2, 2, 2, 3], [3], [3]),
    "batchNorm of vectors": (norm, [4, 3], [3], [3]),
    "averagePool": (images(lambda x: F.avg_pool2d(x, 2)), [1, 5, 4, 2]),
    "maxPool": (images(lambda x: F.max_pool2d(x, 2)), [1, 5, 4, 2]),
    "relu": (F.relu, [2, 5]),
    "leakyRelu": (lambda x: F.leaky_relu(x, 0.2), [2, 5]),
    "tanh": (torch.tanh, [2, 5]),
    "sigmoid": (torch.sigmoid, [2, 5]),
}


def rounded(t):
    return [round(v, 7) for v in t.detach().flatten().tolist()]


golden = {}
for name, (f, *shapes) in CASES.items():
    inputs = [wave(shape, phase + 1).requires_grad_() for phase, shape in enumerate(shapes)]
    y = f(*inputs)
    (y * wave(y.shape, 9)).sum().backward()
    golden[name] = {
        "shape": list(y.shape),
        "y": rounded(y),
        "gradients": [rounded(t.grad) for t in inputs],
    }

# Batch normalisation's running statistics after one pass from mean 0 and variance 1.
mean, variance = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
x = wave([2, 2, 2, 3], 1).permute(0, 3, 1, 2)
F.batch_norm(x, mean, variance, None, None, True, 0.1, 1e-5)
golden["running"] = {"mean": rounded(mean), "variance": rounded(variance)}
y = F.batch_norm(x, mean, variance, wave([3], 2), wave([3], 3), False, 0.1, 1e-5)
golden["inference"] = {"y": rounded(y.permute(0, 2, 3, 1))}
print(json.dumps(golden, indent=1))
