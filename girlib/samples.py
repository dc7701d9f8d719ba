"""What a task hands to a method: the target, its guide, and everything that is known about them."""

from dataclasses import dataclass, field

import torch


@dataclass(frozen=True)
class Sample:
    """One pair (or triple) of images of one scene, each (N, C, H, W).

    target     the image to restore, at the guide's size (enlarged by the task's protocol where the sensor gave less)
    guide      the helping image; a tuple where there are several (HDR: target is the middle exposure, guide = (under, over))
    reference  the truth, where there is one
    low        what the sensor gave, before it was enlarged
    valid      (N, 1, H, W) bool, False where the target holds no measurement
    unit       of target and reference, e.g. "m", "cm", "1" for reflectance in [0, 1]
    meta       what else a method may need: scale, camera constants, exposure times, names
    """

    target: torch.Tensor
    guide: torch.Tensor | tuple[torch.Tensor, ...]
    reference: torch.Tensor | None = None
    low: torch.Tensor | None = None
    valid: torch.Tensor | None = None
    unit: str = "1"
    meta: dict = field(default_factory=dict)
