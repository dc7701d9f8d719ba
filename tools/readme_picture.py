"""`.venv/bin/python tools/readme_picture.py`: draw book/assets/readme.webp, the one picture of the README."""

import io
from pathlib import Path

import torch
from PIL import Image

from girlib import guided_filter, viz
from girlib.scenes import still_life

scene = still_life(256)
low = torch.nn.functional.avg_pool2d(scene.depth, 8)                                                # 32 x 32 pixels of a depth camera
low = low + 0.02 * torch.randn(low.shape, generator=torch.Generator().manual_seed(0))               # and its noise, 2 cm
target = torch.nn.functional.interpolate(low, scale_factor=8, mode="bicubic", align_corners=False)  # at the guide's size
restored = guided_filter(target, scene.color, radius=8, eps=1e-3)

images = {"guide: colour": scene.color, "target: depth, 8 times too small": target, "guided filter": restored, "reference": scene.depth}
kinds = {title: "photo" if title.startswith("guide:") else "depth" for title in images}
picture = viz.show(images, kind=kinds, inset=(72, 60, 96), caption="depth restored with the help of colour", alt="see README")
path = Path(__file__).resolve().parent.parent / "book" / "assets" / "readme.webp"
Image.open(io.BytesIO(picture.png)).save(path, lossless=True, method=6)
