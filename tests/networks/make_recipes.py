"""Makes our own golden vectors of FGF, SVLRM, FDKN, CU-Net and DJF, whose parameters follow from the recipe in golden.py.

Run it only after the networks equalled the given vectors: `python tests/networks/make_recipes.py`. DKN's is a given one.
"""

import torch
from golden import OWN, recipe
from safetensors.torch import save_file

from girlib.networks import cunet, djf, fdkn, fgf, svlrm


def write_recipe(name, network, gain=1, **inputs):
    """Inputs, output and intermediates; the parameters follow from the recipe."""
    network, inputs = recipe(network, gain).double(), {k: x.double() for k, x in inputs.items()}
    with torch.no_grad():
        output, inside = network(**inputs, return_intermediates=True)
    tensors = {f"input.{k}": x for k, x in inputs.items()} | {f"mid.{k}": x.float() for k, x in inside.items()} | {"output64": output}
    save_file({k: x.contiguous() for k, x in tensors.items()}, OWN / f"{name}.safetensors")


def make_svlrm():
    write_recipe("svlrm", svlrm.Network(width=8, depth=3), target=torch.rand(2, 1, 11, 14), guide=torch.rand(2, 1, 11, 14))


def make_fdkn():
    write_recipe("fdkn", fdkn.Network(), target=torch.rand(1, 1, 13, 18), guide=torch.rand(1, 3, 13, 18))


def make_cunet():
    restoration = cunet.Network(channels=1, guide_channels=1, width=8, kernel_size=5)
    write_recipe("cunet_restoration", restoration, 0.3, target=torch.rand(1, 1, 11, 14), guide=torch.rand(1, 1, 11, 14))
    fusion = cunet.Network(channels=3, guide_channels=3, fusion=True, width=8, kernel_size=3)
    write_recipe("cunet_fusion", fusion, 0.3, target=torch.rand(1, 3, 11, 14), guide=torch.rand(1, 3, 11, 14))


def make_djf():
    options = dict(width=(8, 4), joint_width=(6, 4))
    target, guide = torch.rand(2, 1, 14, 17), torch.rand(2, 3, 14, 17)
    write_recipe("djf", djf.Network(**options), target=target, guide=guide)
    write_recipe("djfr", djf.Network(**options, residual=True), target=target, guide=guide)


def make_fgf():
    small, full = torch.rand(1, 3, 9, 11), torch.rand(1, 3, 17, 22)
    for form in fgf.FORMS:
        write_recipe(f"fgf_{form}", fgf.Network(form=form, clamp=False), target=small, guide=full, guide_low=torch.rand(1, 3, 9, 11))


if __name__ == "__main__":
    for make in (make_cunet, make_djf, make_fdkn, make_fgf, make_svlrm):
        torch.manual_seed(0)
        make()
