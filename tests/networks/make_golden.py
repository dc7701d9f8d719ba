"""Makes those of our own golden vectors that can't be copied from given ones: small networks with random weights.

Run it only after the networks equalled the given vectors: `python tests/networks/make_golden.py`.
"""

import sys

import torch
from golden import OWN, reference
from safetensors.torch import save_file

from girlib.networks import dctnet, ifcnn, mgdn, pannet


def write(name, network, **inputs):
    """Parameters, inputs, output and intermediates in float32, and the output in float64."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.uniform_(0.1, 0.5)                                 # a bias of zero would hide itself
        output, inside = network(*inputs.values(), return_intermediates=True)
        output64 = network.double()(*(x.double() for x in inputs.values()))
    tensors = {"output": output, "output64": output64}
    tensors |= {f"param.{k}": x.float() if x.is_floating_point() else x for k, x in network.state_dict().items()}
    tensors |= {f"input.{k}": x for k, x in inputs.items()} | {f"mid.{k}": x for k, x in inside.items() if torch.is_tensor(x)}
    save_file({k: x.contiguous() for k, x in tensors.items()}, OWN / f"{name}.safetensors")


def make_dctnet():
    write("dctnet", dctnet.Network(width=8), target=torch.rand(1, 1, 17, 22), guide=torch.randn(1, 3, 17, 22))


def make_ifcnn():
    network = ifcnn.Network(width=8)
    for block in (network.second, network.third):
        block[1].running_mean.uniform_(-0.3, 0.3), block[1].running_var.uniform_(0.5, 2)
    write("ifcnn", network.eval(), target=torch.randn(1, 3, 13, 18), guide=torch.randn(1, 3, 13, 18))


def make_mgdn_hdr():
    network = mgdn.Network(width=12, depths=(2,), heads=(2,), channels=(6, 6, 6), main=1)
    write("mgdn_hdr", network.eval(), under=torch.rand(1, 6, 9, 14), middle=torch.rand(1, 6, 9, 14), over=torch.rand(1, 6, 9, 14))


def make_pannet():
    low, guide, lms = torch.rand(1, 4, 6, 7), torch.rand(1, 1, 24, 28), torch.rand(1, 4, 24, 28)
    write("pannet", pannet.Network(channels=4, width=8), low=low, guide=guide, lms=lms)


def make_gdd():
    """Those of the given vectors that rest on random weights, without what can be spared."""
    files = {"gdd_hs": ("mid", "output64"), "gdd_denoise_odd": ("mid", "output"), "pan_steps": (), "losses": ("hs.grad",)}
    for name, spared in files.items():
        kept = {k: x for k, x in reference(f"gdd/{name}").items() if x.numel() < 600 or not k.startswith(spared)}
        save_file(kept, OWN / f"gdd_{name.removeprefix('gdd_')}.safetensors")



if __name__ == "__main__":
    for name in sys.argv[1:] or ["dctnet", "ifcnn", "mgdn_hdr", "pannet"]:
        torch.manual_seed(0)
        globals()[f"make_{name}"]()
