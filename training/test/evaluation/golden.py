"""The golden numbers of metrics.test.ts, from independent implementations.

    python3 -m venv peers && peers/bin/pip install torch-fidelity==0.4.0 prdc==0.2
    peers/bin/python training/test/evaluation/golden.py
"""
import numpy as np
import torch
from prdc import compute_prdc
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kernel_mmd


def features(count, size, a, shift=0.0, scale=1.0):
    i = np.arange(count * size, dtype=np.int64)
    u = ((i * i % 1000003) * a + i * 12345 + 6789) % 1000003
    return ((u / 1000003.0 - 0.5) * scale + shift).reshape(count, size)


real = features(600, 16, 7)
fake = features(500, 16, 11, 0.1, 0.9)
few = [features(10, 16, 7), features(12, 16, 11, 0.1, 0.9)]

statistics = lambda x: fid_features_to_statistics(torch.from_numpy(x))
print(fid_statistics_to_metric(statistics(real), statistics(fake), False))
print("singular", fid_statistics_to_metric(statistics(few[0]), statistics(few[1]), False))
cubic = dict(kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1)
print("kernel distance", kernel_mmd(fake, real[:500], **cubic))
print(compute_prdc(real, fake, nearest_k=5))
print(isc_features_to_metric(torch.from_numpy(features(400, 10, 13, 0.0, 8.0)), 1, False))
