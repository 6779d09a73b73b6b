"""The golden numbers of detection.test.ts, from scikit-learn, and AUPRO as Bergmann et al. describe it.

    python3 -m venv peers && peers/bin/pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    peers/bin/python training/test/evaluation/golden_detection.py
"""
import numpy as np
from scipy.ndimage import label
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve


def features(count, a, shift=0.0, scale=1.0):
    i = np.arange(count, dtype=np.int64)
    u = ((i * i % 1000003) * a + i * 12345 + 6789) % 1000003
    return (u / 1000003.0 - 0.5) * scale + shift


def aupro(scores, masks, limit=0.3):
    """At every threshold: the mean share found of each region, over the share of normal pixels found."""
    regions = []
    for picture, mask in enumerate(masks):
        labels, count = label(mask, np.ones((3, 3)))
        regions += [(picture, labels == k) for k in range(1, count + 1)]
    points = [(0.0, 0.0)]
    for threshold in np.unique(scores)[::-1]:
        found = scores >= threshold
        wrong = (found & (masks == 0)).sum() / (masks == 0).sum()
        points.append((wrong, np.mean([found[p][region].mean() for p, region in regions])))
    x, y = np.array(points).T
    at = np.interp(limit, x, y)
    below = x <= limit
    x, y = np.append(x[below], limit), np.append(y[below], at)
    return np.trapezoid(y, x) / limit, len(regions)


labels = (features(500, 7) > 0.2).astype(int)
scores = features(500, 11) + 0.3 * labels
print("distinct", roc_auc_score(labels, scores), average_precision_score(labels, scores))
ties = np.round(scores * 8) / 8
print("ties", roc_auc_score(labels, ties), average_precision_score(labels, ties))
print("curve", roc_curve(labels, ties, drop_intermediate=False)[:2])

masks = np.zeros((3, 16, 20), int)
masks[0, 2:5, 3:9] = 1
masks[0, 5, 9] = 1  # touches at a corner
masks[0, 12:15, 1:3] = 1
masks[1, 0:2, 17:20] = 1
masks[1, 3, 19] = 1  # a region of one pixel
maps = features(masks.size, 13).reshape(masks.shape) + 0.35 * masks
maps = np.round(maps * 64) / 64
print("pixels", roc_auc_score(masks.ravel(), maps.ravel()))
print("pro", aupro(maps, masks), aupro(maps, masks, 1.0))

# training/test/data/fragments.test.ts: a block of 8 × 8 compressed as by JPEG at quality 25.
from scipy.fft import dctn, idctn

# fmt: off
STEPS = np.array([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]).reshape(8, 8)
# fmt: on
block = np.array([[(37 * y + 11 * x * x + 5 * x * y) % 200 for x in range(8)] for y in range(8)])
step = 2 * STEPS / 255
packed = idctn(np.round(dctn(block / 256, norm="ortho") / step) * step, norm="ortho")
print("jpeg", np.clip(packed, 0, 1)[[0, 2, 5, 7], [0, 3, 1, 7]])
