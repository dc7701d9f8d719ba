"""Computed scenes: geometry, materials and light from a seed.

`make_scene` gives indoor, outdoor and overhead scenes with depth, normals, object numbers, classes, and pictures through any spectral
response; `still_life` the small table of the first chapters.
"""

from .materials import RESPONSES, WAVELENGTHS
from .scene import KINDS, Scene, make_scene
from .stage import CLASSES
from .statistics import depth_statistics
from .still_life import StillLife, still_life

__all__ = ["CLASSES", "KINDS", "RESPONSES", "WAVELENGTHS", "Scene", "StillLife", "depth_statistics", "make_scene", "still_life"]
