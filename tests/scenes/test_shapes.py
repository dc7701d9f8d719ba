"""Rays meet bodies where a march in small steps through float64 space finds them."""

import numpy as np
import pytest
import torch

from girlib.scenes.shapes import BALL, BOX, CONE, ROOF, Body, Solids, View, cast, hit
from girlib.scenes.stage import turning

CPU = torch.device("cpu")


def inside(body, points):
    """Which points (..., 3) lie in a body, by its definition."""
    x, y, z = np.moveaxis((points - np.array(body.centre)) @ np.array(body.turn) / np.array(body.half), -1, 0)
    if body.kind == BALL:
        return x**2 + y**2 + z**2 <= 1
    if body.kind == CONE:
        return (abs(y) <= 1) & (x**2 + z**2 <= (1 + (y + 1) / 2 * (body.taper - 1)) ** 2)
    if body.kind == ROOF:
        return (abs(x) <= 1) & (abs(y) <= 1) & (abs(z) <= (1 - y) / 2)
    return (abs(x) <= 1) & (abs(y) <= 1) & (abs(z) <= 1)


def march(body, starts, ways, far, steps=4000):
    """First parameter of each ray at which it is in the body; infinite where it never is."""
    t = np.linspace(0.06, far, steps)
    within = inside(body, starts[:, None] + t[:, None] * ways[:, None])
    return np.where(within.any(1), t[within.argmax(1)], np.inf), t[1] - t[0]


def random_body(kind, random):
    centre = tuple(random.uniform((-0.7, -0.7, 3.0), (0.7, 0.7, 5.0)))
    half, taper = tuple(random.uniform(0.3, 1.0, 3)), random.choice([0.0, 0.4, 1.0])
    return Body(kind, centre, half, turning(*random.uniform(-3, 3, 3)), taper)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("kind", [BOX, BALL, CONE, ROOF])
def test_depth_is_where_a_march_enters_the_body(kind, parallel):
    random = np.random.default_rng(kind)
    view = View((0.1, -0.2, 0.3), (0.1, 0.05, 1.0), parallel=parallel)
    reach = 1.0 if parallel else 0.3
    for _ in range(6):
        body = random_body(kind, random)
        u, v = (torch.from_numpy(random.uniform(-reach, reach, 192)).float() for _ in range(2))
        found, _ = cast(Solids([body], 0.0, CPU), view, u, v)
        right, up, forward, origin = (x.numpy() for x in (view.right, view.up, view.forward, view.origin))
        offset = u.double().numpy()[:, None] * right + v.double().numpy()[:, None] * up
        starts, ways = (origin + offset, forward + 0 * offset) if parallel else (origin + 0 * offset, forward + offset)
        expected, step = march(body, starts, ways, 9.0)
        agree = abs(np.minimum(found.numpy(), 99) - np.minimum(expected, 99)) <= 1.01 * step
        assert agree.mean() > 0.97                       # a ray that grazes may slip between two steps of the march
        assert np.isfinite(expected).sum() > 5


def test_packets_lose_no_body():
    """Bodies are left out by rectangles and boxes only: the nearest of all hits, tried one by one, is the same."""
    random = np.random.default_rng(9)
    bodies = [random_body(kind, random) for kind in (BOX, BALL, CONE, ROOF) for _ in range(15)]
    for body in bodies:
        body.half = tuple(0.2 * x for x in body.half)
    solids, view = Solids(bodies, 0.0, CPU), View((0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    u, v = (torch.from_numpy(random.uniform(-0.4, 0.4, 1000)).float() for _ in range(2))
    found, which = cast(solids, view, u, v)
    table = view.constants(solids)
    every = torch.stack([hit(body.kind, table[:, i, None, None], u[None], v[None], False)[0] for i, body in enumerate(solids.bodies)])
    assert torch.equal(found, every.amin(0)) and 100 < found.isfinite().sum() < 900
    seen = found.isfinite()
    assert torch.equal(every.gather(0, which[None])[0][seen], found[seen])


def test_a_ball_is_met_where_its_equation_says():
    ball = Solids([Body(BALL, (0.2, 0.1, 5.0), (1.0, 1.0, 1.0))], 0.0, CPU)
    u, v = torch.meshgrid(torch.linspace(-0.3, 0.3, 31), torch.linspace(-0.3, 0.3, 31), indexing="ij")
    depth, _ = cast(ball, View((0.0, 0.0, 0.0), (0.0, 0.0, 1.0)), -u.reshape(-1), v.reshape(-1))
    seen = depth.isfinite()
    point = torch.stack([-u.reshape(-1) * depth, v.reshape(-1) * depth, depth], 1)[seen].double()
    out = point - torch.tensor([0.2, 0.1, 5.0])
    assert seen.sum() > 300 and (out.norm(dim=1) - 1).abs().max() < 1e-4 and ((out * point).sum(1) <= 1e-3).all()      # the near side


def test_a_view_projects_what_it_has_lifted():
    for parallel in (False, True):
        view = View((1.0, 2.0, 3.0), (0.3, -0.5, 1.0), parallel=parallel)
        u, v, depth = torch.rand(3, 50).unbind(0)
        again = view.project(*view.points(u, v, depth + 2))
        assert all((a - b).abs().max() < 1e-5 for a, b in zip(again, (u, v, depth + 2), strict=True))
