"""Which PyTorch this is."""
from pathlib import Path

import torch


def torch_version():
    """PyTorch's version, and its BLAS where that is the reference one, ten times slower than others:
    Debian's PyTorch takes whatever BLAS the system has."""
    version = torch.__version__.split("+")[0]
    maps = Path("/proc/self/maps")
    loaded = maps.read_text() if maps.exists() else ""
    known = not loaded or any(name in loaded for name in ("openblas", "mkl", "blis", "atlas"))
    slow = "BLAS_INFO=generic" in torch.__config__.show() and not known
    return f"{version} with the reference BLAS" if slow else version
