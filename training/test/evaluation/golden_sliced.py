"""The golden numbers of sliced.test.ts: the definition of Karras et al. 2018 in NumPy and SciPy, with
the places and directions that this project's random streams give.

    python3 -m venv peers && peers/bin/pip install numpy==2.4.6 scipy==1.17.1
    peers/bin/python training/test/evaluation/golden_sliced.py
"""
from statistics import NormalDist

import numpy as np
from scipy.ndimage import convolve

M = 0xFFFFFFFF


def threefry(key, counter):
    k = [*key, 0x1BD11BDA ^ key[0] ^ key[1]]
    x, y = (counter[0] + k[0]) & M, (counter[1] + k[1]) & M
    for i in range(20):
        r, g = (13, 15, 26, 6, 17, 29, 16, 24)[i % 8], i // 4 + 1
        x = (x + y) & M
        y = ((y << r | y >> 32 - r) & M) ^ x
        if i % 4 == 3:
            x, y = (x + k[g % 3]) & M, (y + k[(g + 1) % 3] + g) & M
    return x, y


def fnv1a(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = (h ^ byte) * 0x01000193 & M
    return h


def words(path, level):
    key = threefry(threefry((0, 0), (fnv1a(path), M)), (level, M - 1))
    block = 0
    while True:
        yield from threefry(key, (block, 0))
        block += 1


def normal(source, n):
    return np.array([NormalDist().inv_cdf((next(source) + 0.5) / 2**32) for _ in range(n)])


def below(source, n, limit):
    fair = (w % limit for w in source if w < 2**32 - 2**32 % limit)
    return [next(fair) for _ in range(n)]


KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])[:, :, None] / 256


def pictures(count, height, width, channels, a, spread=255):
    i = np.arange(count * height * width * channels, dtype=np.int64)
    u = ((i * i % 1000003) * a + i * 12345 + 6789) % 1000003
    return (u * spread // 1000003).astype(np.float64).reshape(count, height, width, channels)


def halved(x):
    return np.stack([convolve(each, KERNEL, mode="mirror")[::2, ::2] for each in x])


def doubled(x, shape):
    wide = np.zeros(shape)
    wide[:, ::2, ::2] = x
    return np.stack([convolve(each, 4 * KERNEL, mode="mirror") for each in wide])


def pyramid(x):
    levels = [x]
    while min((side + 1) // 2 for side in levels[-1].shape[1:3]) >= 16:
        coarse = halved(levels[-1])
        levels[-1] = levels[-1] - doubled(coarse, levels[-1].shape)
        levels.append(coarse)
    return levels


def patches(x, level, many, side=7):
    count, height, width, channels = x.shape
    tops = below(words("rows", level), count * many, height - side + 1)
    lefts = below(words("columns", level), count * many, width - side + 1)
    rows = np.stack([x[p // many, t : t + side, l : l + side] for p, (t, l) in enumerate(zip(tops, lefts))])
    rows = (rows - rows.mean((0, 1, 2))) / rows.std((0, 1, 2))
    return rows.reshape(len(rows), -1)


def sliced(a, b, many=16, directions=32):
    for level, (of_a, of_b) in enumerate(zip(pyramid(a), pyramid(b))):
        of_a, of_b = patches(of_a, level, many), patches(of_b, level, many)
        on = normal(words("directions", level), directions * of_a.shape[1]).reshape(directions, -1)
        on /= np.linalg.norm(on, axis=1, keepdims=True)
        apart = np.abs(np.sort(of_a @ on.T, 0) - np.sort(of_b @ on.T, 0)).mean()
        yield a.shape[1:3], 1000 * apart


for shape in [(6, 28, 28, 1), (6, 33, 40, 3), (3, 64, 64, 4)]:
    a, b = pictures(*shape, 7), pictures(*shape, 11, 128)
    b[:, 3:, 3:] = np.maximum(b[:, 3:, 3:], b[:, :-3, :-3])  # patches that differ in more than brightness
    print(shape, [float(value) for _, value in sliced(a, b)])
