"""The training step of resnet at 64 pixels in PyTorch: relativistic pairs, R1 and R2.

    python3 test/peers/resnet_64.py --steps 10 --threads 2            # milliseconds a step
    python3 test/peers/resnet_64.py --check FILE.safetensors          # its losses on our weights

FILE holds a starting state of ours, and `images` (uint8) and `latents` of one batch.
"""
from resnet import run

run(64)
