"""Ray casting in closed form: boxes, balls, cones and roofs, seen through one point (a camera, a flash) or side by side (the sun).

Every body is a simple solid inside the cube [-1, 1]^3, turned, stretched and moved. A ray keeps its parameter when it is taken into the
body's own axes, so four formulas suffice. Rays travel in packets of 64 neighbours, and a packet meets only the bodies whose rectangle in
the view overlaps its own. A shadow is what the light doesn't see: the same function casts both.

Only + - * / sqrt, comparisons and look-ups touch a ray. These are exact or correctly rounded, so the bytes don't depend on threads.
"""

from dataclasses import dataclass, field

import torch

BOX, BALL, CONE, ROOF = range(4)  # CONE: a truncated cone about y, radius 1 below and `taper` <= 1 above; ROOF: its ridge along x at y = 1
PACKET = 64  # rays
CHUNK = 1024  # packets at a time: what they need stays in the processor's cache
FAR = 1e30
NEAR = 0.05  # metres in front of a view's origin, where its picture begins


@dataclass
class Body:
    """One solid: `turn` holds its three axes (unit vectors, as columns), `half` how far it reaches along each of them."""

    kind: int
    centre: tuple
    half: tuple
    turn: tuple = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    taper: float = 1.0
    casts: bool = True  # a shadow
    paint: object = None
    id: int = 0
    label: int = 0
    velocity: tuple = field(default=(0.0, 0.0, 0.0))  # metres per unit of time


class Solids:
    """Many bodies as tensors, sorted by kind."""

    def __init__(self, bodies, time, device):
        self.bodies = sorted(bodies, key=lambda body: body.kind)
        numbers = torch.tensor([[*(c + time * v for c, v in zip(b.centre, b.velocity, strict=True)), *b.half, b.taper, *sum(b.turn, ())]
                                for b in self.bodies], dtype=torch.float64)  # fmt: skip
        self.centre, self.half, self.taper = numbers[:, :3], numbers[:, 3:6], numbers[:, 6]
        self.turn = numbers[:, 7:].unflatten(1, (3, 3))  # (B, 3, 3)
        self.to_local = (self.turn / self.half[:, None, :]).transpose(1, 2).contiguous()  # rows: an axis over its half length
        self.casts = torch.tensor([b.casts for b in self.bodies])
        self.kind = torch.tensor([b.kind for b in self.bodies])
        self.device = device

        signs = torch.tensor([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)], dtype=torch.float64)
        self.corners = self.centre[:, None] + ((signs * self.half[:, None])[:, :, None] * self.turn[:, None]).sum(-1)  # (B, 8, 3)
        columns = torch.cat([self.to_local.flatten(1), self.centre, self.half, self.taper[:, None]], 1).T.contiguous()
        self.columns = columns.float().to(device)  # (16, B)
        self.kinds = self.kind.to(device)

    def surface(self, points, which):
        """Of points (3 tensors of length n) on bodies `which`: local coordinates and unit normals (3 tensors each), number of the face."""
        a = [row.index_select(0, which) for row in self.columns[:12]]
        d = [p - c for p, c in zip(points, a[9:], strict=True)]
        local = [a[3 * i] * d[0] + a[3 * i + 1] * d[1] + a[3 * i + 2] * d[2] for i in range(3)]
        outward, face = [torch.empty_like(x) for x in local], torch.full_like(which, 2)
        kinds = self.kinds.index_select(0, which)
        for kind in self.kinds.unique().tolist():
            at = (kinds == kind).nonzero()[:, 0]
            x, y, z = (p.index_select(0, at) for p in local)
            normal, face[at] = outside(kind, x, y, z, self.columns[15].index_select(0, which.index_select(0, at)))
            for whole, part in zip(outward, normal, strict=True):
                whole.index_copy_(0, at, part)
        return local, unit([a[i] * outward[0] + a[3 + i] * outward[1] + a[6 + i] * outward[2] for i in range(3)]), face


def outside(kind, x, y, z, taper):
    """Outward direction at local points of one kind of body, and the face: 0, 1, 2 of a box (across x, y, z); 1 of the others is flat."""
    zero = torch.zeros_like(x)
    if kind == BALL:
        return (x, y, z), 2
    if kind == BOX:
        ax, ay, az = x.abs(), y.abs(), z.abs()
        top = (ay >= ax) & (ay >= az)
        side = ~top & (ax >= az)
        normal = torch.where(side, x.sign(), zero), torch.where(top, y.sign(), zero), torch.where(top | side, zero, z.sign())
        return normal, torch.where(top, 1, torch.where(side, 0, 2)).int()
    if kind == CONE:
        slope = (taper - 1) / 2
        radius = (1 + taper) / 2 + slope * y
        cap = y.abs() * radius > (x * x + z * z).sqrt()
        normal = torch.where(cap, zero, x), torch.where(cap, y.sign(), -slope * radius), torch.where(cap, zero, z)
        return normal, torch.where(cap, 1, 2).int()
    slant = y + 2 * z.abs()
    gable = x.abs() > torch.maximum(-y, slant)
    below = ~gable & (-y > slant)
    normal = (torch.where(gable, x.sign(), zero), torch.where(gable, zero, torch.where(below, -1.0, 1.0)),
              torch.where(gable | below, zero, 2 * z.sign()))  # fmt: skip
    return normal, torch.where(gable, 1, 2).int()


class View:
    """An origin and three axes (right, up, forward). Depth is measured along `forward`; the rays of a parallel view run along it."""

    def __init__(self, origin, forward, up=(0.0, 1.0, 0.0), parallel=False):
        self.origin = torch.tensor(origin, dtype=torch.float64)
        f = torch.tensor(forward, dtype=torch.float64)
        self.forward = f / f.norm()
        right = torch.linalg.cross(torch.tensor(up, dtype=torch.float64), self.forward)
        self.right = right / right.norm()
        self.up = torch.linalg.cross(self.forward, self.right)
        self.parallel = parallel

    def project(self, x, y, z):
        """Image coordinates (u, v) and depth of points, given as three tensors."""
        x, y, z = (p - o for p, o in zip((x, y, z), self.origin.tolist(), strict=True))
        u, v, depth = (a[0] * x + a[1] * y + a[2] * z for a in (self.right.tolist(), self.up.tolist(), self.forward.tolist()))
        return (u, v, depth) if self.parallel else (u / depth, v / depth, depth)

    def points(self, u, v, depth):
        """The points (three tensors) that `project` would take to (u, v, depth)."""
        if not self.parallel:
            u, v = u * depth, v * depth
        axes = (self.right.tolist(), self.up.tolist(), self.forward.tolist())
        return tuple(o + a * u + b * v + c * depth for o, a, b, c in zip(self.origin.tolist(), *axes, strict=True))

    def backward(self, u, v):
        """Unit vectors (three tensors) from what is seen at (u, v) back to the view."""
        r, w, f = self.right.tolist(), self.up.tolist(), self.forward.tolist()
        if self.parallel:
            return tuple(torch.full_like(u, -c) for c in f)
        return unit([-(a * u + b * v + c) for a, b, c in zip(r, w, f, strict=True)])

    def rectangles(self, solids):
        """What each body may cover: u from, u to, v from, v to, nearest depth: (5, B). Behind the view: an empty rectangle."""
        local = solids.corners - self.origin
        axes = torch.stack([self.right, self.up, self.forward])
        local = (local[:, :, None] * axes).sum(-1)  # (B, 8, 3): right, up, forward
        nearest = local[..., 2].amin(1)
        if not self.parallel:  # cut the twelve edges where the picture begins
            one, two = local[:, EDGES[0]], local[:, EDGES[1]]
            share = (NEAR - one[..., 2:]) / (two[..., 2:] - one[..., 2:])
            cut = torch.where((share > 0) & (share < 1), one + share * (two - one), torch.nan)
            local = torch.cat([local, cut], 1)
            ahead = local[..., 2] >= 0.99 * NEAR
            local = torch.where(ahead[..., None], local / local[..., 2:], torch.nan)
        low, high = local[..., :2].nan_to_num(torch.inf).amin(1), local[..., :2].nan_to_num(-torch.inf).amax(1)
        return torch.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1], nearest])

    def constants(self, solids):
        """The rays in each body's own axes, from a point near it: origin C + s w, direction F + q w, with w = u R + v U.

        Returns C, R, U, F (three rows each), the depth of that point, the taper, s, and by what u and v count at the far end: (16, B).
        """
        near = ((solids.centre - self.origin) * self.forward).sum(1)
        start = self.origin + near[:, None] * self.forward - solids.centre
        local = [(solids.to_local * vector[..., None, :]).sum(-1) for vector in (start, self.right, self.up, self.forward)]  # (B, 3) each
        far = near + (solids.corners - solids.centre[:, None]).mul(self.forward).sum(-1).amax(1)
        spread = [torch.ones_like(near)] * 2 if self.parallel else [near, far]
        table = torch.cat([*local, *(x[:, None] for x in (near, solids.taper, *spread))], 1)
        return table.T.contiguous().float().to(solids.device)


EDGES = torch.tensor([[i, i | bit] for bit in (1, 2, 4) for i in range(8) if not i & bit]).T  # (2, 12): pairs of corners


def unit(vector):
    length = (vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]).sqrt().clamp_min(1e-12)
    return tuple(x / length for x in vector)


def packets(*tensors):
    """Flat tensors of one length as rows of 64, the last entry repeated to fill the last row."""
    n = len(tensors[0])
    if n % PACKET == 0:
        return [x.view(-1, PACKET) for x in tensors]
    return [torch.cat([x, x[-1:].expand(-n % PACKET)]).view(-1, PACKET) for x in tensors]


def cast(solids, view, u, v, reach=None):
    """What the view sees along each ray: depth (infinite where nothing is) and the body's number; u, v are flat tensors of one length.

    With `reach` (a depth for each ray) only bodies that cast shadows count, and only the depth is returned.
    """
    n, (u, v) = len(u), packets(u, v)
    device = u.device
    low_u, high_u, low_v, high_v, nearest = view.rectangles(solids).float().to(device)
    meet = ((low_u <= u.amax(1, keepdim=True)) & (high_u >= u.amin(1, keepdim=True))
            & (low_v <= v.amax(1, keepdim=True)) & (high_v >= v.amin(1, keepdim=True)))  # (packets, B)  # fmt: skip
    if reach is not None:
        meet &= (nearest < packets(reach)[0].amax(1, keepdim=True)) & solids.casts.to(device)
    table = view.constants(solids)
    packet, body = meet.nonzero().unbind(1)  # a packet and a body that may meet
    kept = passes(table.index_select(1, body), u.index_select(0, packet), v.index_select(0, packet), view.parallel).nonzero()[:, 0]
    packet, body = packet[kept], body[kept]

    depth = torch.full((len(body), PACKET), torch.inf, device=device)
    kinds = solids.kinds[body]
    for kind in range(4):
        for at in (kinds == kind).nonzero()[:, 0].split(CHUNK):
            rays = (x.index_select(0, packet[at]) for x in (u, v))
            depth[at] = hit(kind, table.index_select(1, body[at]).unsqueeze(-1), *rays, view.parallel)

    best = torch.full_like(u, torch.inf)
    which = torch.zeros(u.shape, dtype=torch.int32, device=device)
    count = packet.bincount(minlength=len(u))
    turn = torch.arange(len(packet), device=device) - (count.cumsum(0) - count)[packet]
    for at in turn.argsort(stable=True).split(turn.bincount().tolist()):  # the first body that a packet meets, the second, ...
        here = packet[at]
        new, old = depth.index_select(0, at), best.index_select(0, here)
        best[here] = torch.minimum(new, old)
        if reach is None:
            which[here] = torch.where(new < old, body[at].int()[:, None], which.index_select(0, here))
    return best.view(-1)[:n] if reach is not None else (best.view(-1)[:n], which.view(-1)[:n])


def hit(kind, table, u, v, parallel):
    """Depth at which each ray enters one body a row; infinite where it doesn't, or where it begins inside.

    Every body is convex: what a ray spends in it is an interval. Minima and maxima find it much faster than choices would.
    """
    cx, cy, cz, rx, ry, rz, ux, uy, uz, fx, fy, fz, near, taper, spread, _ = table
    wx, wy, wz = u * rx + v * ux, u * ry + v * uy, u * rz + v * uz
    ox, oy, oz = cx + spread * wx, cy + spread * wy, cz + spread * wz
    dx, dy, dz = (fx, fy, fz) if parallel else (fx + wx, fy + wy, fz + wz)
    if kind == BOX:
        enter, leave = slabs(((ox, dx), (oy, dy), (oz, dz)))
    elif kind == ROOF:
        enter, leave = roof(ox, oy, oz, dx, dy, dz)
    else:
        enter, leave = ball(ox, oy, oz, dx, dy, dz) if kind == BALL else cone(ox, oy, oz, dx, dy, dz, taper)
    miss = enter - leave
    if not parallel:
        miss = torch.maximum(miss, NEAR - near - enter)
    return near + enter + miss.clamp_min(0) * 1e38 * 1e38


def passes(table, u, v, parallel):
    """Whether a packet may meet a body: its middle ray against the cube, made larger by what the packet spans at the body's far end."""
    cx, cy, cz, rx, ry, rz, ux, uy, uz, fx, fy, fz, _, _, spread, far = table
    low_u, high_u, low_v, high_v = u.amin(1), u.amax(1), v.amin(1), v.amax(1)
    u, v, du, dv = (low_u + high_u) / 2, (low_v + high_v) / 2, (high_u - low_u) / 2, (high_v - low_v) / 2
    pairs = []
    for c, r, a, f in ((cx, rx, ux, fx), (cy, ry, uy, fy), (cz, rz, uz, fz)):
        w, size = u * r + v * a, 1.001 + (du * r.abs() + dv * a.abs()) * far
        pairs.append(((c + spread * w) / size, (f if parallel else f + w) / size))
    enter, leave = slabs(pairs)
    return enter <= leave


def slabs(pairs):
    """Where a ray o + t d enters and leaves |x| <= 1 for all pairs (o, d)."""
    enter = leave = None
    for o, d in pairs:
        inverse = (d + 1e-20).reciprocal()
        middle, half = o * inverse, inverse.abs()
        enter = middle + half if enter is None else torch.minimum(enter, middle + half)
        leave = half - middle if leave is None else torch.minimum(leave, half - middle)
    return -enter, leave


def roof(ox, oy, oz, dx, dy, dz):
    """|x| <= 1, y >= -1, y + 2 z <= 1 and y - 2 z <= 1."""
    enter, leave = slabs(((ox, dx),))
    for o, d in ((-oy - 1, -dy), (oy + 2 * oz - 1, dy + 2 * dz), (oy - 2 * oz - 1, dy - 2 * dz)):  # o + t d <= 0
        t = -o / (d + 1e-20)
        enter = torch.maximum(enter, t - FAR * d.clamp_min(0))  # it enters where d < 0
        leave = torch.minimum(leave, t - FAR * d.clamp_max(0))
    return enter, leave


def ball(ox, oy, oz, dx, dy, dz):
    a, b, c = dx * dx + dy * dy + dz * dz, ox * dx + oy * dy + oz * dz, ox * ox + oy * oy + oz * oz - 1
    return roots(a, b, b * b - a * c)


def cone(ox, oy, oz, dx, dy, dz, taper):
    """|y| <= 1 and radius m + s y. A ray steeper than the side (a < 0) enters once for all as the cone widens, or leaves once."""
    m, s = (1 + taper) / 2, (taper - 1) / 2
    w, widening = m + s * oy, s * dy
    a = dx * dx + dz * dz - widening * widening + 1e-12
    b = ox * dx + oz * dz - widening * w
    enter, leave = roots(a, b, b * b - a * (ox * ox + oz * oz - w * w))
    steep = FAR * a.clamp_max(0)
    first, last = slabs(((oy, dy),))
    return torch.maximum(first, enter - steep * widening.clamp_max(0)), torch.minimum(last, leave - steep * widening.clamp_min(0))


def roots(a, b, discriminant):
    """Of a t^2 + 2 b t + c; where there is none, the second is far below the first."""
    root = discriminant.clamp_min(0).sqrt()
    return -(b + root) / a, (root - b) / a + FAR * discriminant.clamp_max(0)
