"""The guided filter for large images on the CPU: the arithmetic of filters.py, strip by strip.

Why        The filter reads and writes some seventy planes. Taken whole, each of them travels through main memory; in strips
           that fit the processor's cache they do not, which is several times as fast and takes no memory to speak of.
How        Rows stream through two stages, each of which sums over windows in buffers that are made once:
             target, guide, products -> sums -> a_k, b_k     r rows behind the rows that come in
             a_k, b_k                -> sums -> Q            r rows behind those
           A stage keeps its last 2r rows for the next strip. Wide images are cut into blocks of columns that overlap by
           4r. Outside the image all planes are zero and all counts infinite, so that a_k = b_k = 0 there.
Limits     Writing into buffers leaves nothing for a gradient; `suits` says when this form applies
"""

import torch
from torch.autograd.forward_ad import unpack_dual

COLUMNS, AREA = 1024, 49152     # of a strip, per thread: a handful of such planes fits a second-level cache of 2 MB


def suits(P, I, radius, eps, weight):
    """No gradient, no weight, no eps = 0 that would need a check, and no window so wide that strips are mostly overlap."""
    backward = torch.is_grad_enabled() and (P.requires_grad or I.requires_grad)
    forward = any(unpack_dual(image).tangent is not None for image in (P, I))
    return (P.device.type == "cpu" and not backward and not forward and weight is None and eps > 0
            and 0 < 4 * radius <= min(P.shape[-2:]))


def guided_filter(P, I, centre_P, centre_I, radius, lines):
    """Q (N, C, H, W). `lines` makes the a_k and b_k of all windows from the means of P, I, I P and I I."""
    Q = torch.empty_like(P, memory_format=torch.contiguous_format)
    with torch.inference_mode():                                                  # else a sixth of the time is bookkeeping
        for part, centre, out in zip(P.split(8, 1), centre_P.split(8, 1), Q.split(8, 1), strict=True):  # a cache full
            _stream(part, I, centre, centre_I, radius, lines, out)
    return Q


def _stream(P, I, centre_P, centre_I, radius, lines, Q):
    """Fills Q. The buffers and the views of them that are added and multiplied are made before the first strip."""
    (C, H, W), G = P.shape[1:], I.shape[1]
    columns = -(-W // max(1, round(W / COLUMNS)))
    pitch = columns + 4 * radius
    strips = max(1, (H + 2 * radius) // max(AREA * min(torch.get_num_threads(), 4) // pitch, 2 * radius))
    rows = -(-(H + 2 * radius) // strips)                                         # at least 2 radius

    pairs = [(g, h) for g in range(G) for h in range(g + 1)]
    sizes = C, G, G * C, len(pairs)
    spare = [P.new_empty((rows + 2 * radius) * pitch) for _ in range(2)]
    first = _Sums(sum(sizes), rows, pitch, radius, spare, P)
    second = _Sums(G * C + C, rows, pitch, radius, spare, P)
    p, i, ip, ii = first.planes.split(sizes)
    products = [(i[g], p, out) for g, out in enumerate(ip.split(C))]
    products += [(i[g], i[h], out) for (g, h), out in zip(pairs, ii, strict=True)]
    mean_P, mean_I, mean_IP, mean_II = first.means.split(sizes)
    means = mean_P, list(mean_I), mean_IP.split(C), [mean_II[g * (g + 1) // 2:][:g + 1] for g in range(G)]
    a, b = second.planes[:G * C].split(C), second.planes[G * C:]
    A_B, guide = second.means.view(-1, rows, pitch), P.new_empty(rows, columns)
    first_y, second_y = (_count(-d, strips * rows, H, radius, P)[:, None].split(rows) for d in (radius, 2 * radius))

    for n in range(len(P)):
        c_P, c_I = centre_P[n].flatten().tolist(), centre_I[n].flatten().tolist()
        for left in range(0, W, columns):
            right = min(W, left + columns)
            first.planes[:C + G] = first.old[:] = second.old[:] = 0               # outside the image, and above its first row
            first_x, second_x = (_count(left - d, pitch, W, radius, P) for d in (radius, 0))
            for top, n_first, n_second in zip(range(0, strips * rows, rows), first_y, second_y, strict=True):
                _load([*P[n], *I[n]], c_P + c_I, first.planes[:C + G].view(-1, rows, pitch), top, left - 2 * radius)
                for x, y, out in products:
                    torch.mul(x, y, out=out)
                first.add(n_first * first_x)
                a_k, b_k = lines(*means)
                for to, plane in zip([*a, b], [*a_k, b_k], strict=True):
                    to.copy_(plane)
                second.add(n_second * second_x)

                start = top - 2 * radius                                          # first row of A and B
                y = slice(max(0, start), min(H, start + rows))
                if y.start < y.stop:
                    A, B = A_B[:, y.start - start:y.stop - start, :right - left].split((G * C, C))
                    for g in range(G):
                        I_g = torch.sub(I[n, g, y, left:right], c_I[g], out=guide[:y.stop - y.start, :right - left])
                        B.addcmul_(A[g * C:(g + 1) * C], I_g)
                    for c in range(C):
                        torch.add(B[c], c_P[c], out=Q[n, c, y, left:right])


class _Sums:
    """Window means of planes that arrive in strips: fill `planes`, call `add`, read `means`, `radius` rows behind.

    All planes are flat, so that a step along a row is one element and a step down is `pitch`. Position i of a sum is the
    first element of its window; what runs over the end of a row falls into columns that nobody reads. `old` holds the last
    2 radius rows of the strip before, summed along.
    """

    def __init__(self, number, rows, pitch, radius, spare, like):
        size, kept = rows * pitch, 2 * radius * pitch
        self.strip = like.new_empty(number, size + 2 * radius)
        self.along = like.new_empty(number, kept + size)                          # sums along rows, the oldest rows first
        self.planes, self.means = self.strip[:, :size], like.new_empty(number, size)
        self.fresh, self.old, self.last = self.along[:, kept:], self.along[:, :kept], self.along[:, size:]
        self.additions = []
        for strip, along, fresh, means in zip(self.strip, self.along, self.fresh, self.means, strict=True):
            self.additions += _additions(strip, radius, 1, fresh, spare) + _additions(along, radius, pitch, means, spare)

    def add(self, count):
        """Takes the strip in, whose windows hold `count` pixels each."""
        for x, y, out in self.additions:
            torch.add(x, y, out=out)
        self.means.div_(count.flatten())
        self.old.copy_(self.last)


def _additions(x, radius, step, out, spare):
    """The additions (x, y, out) of filters._sum_along for one flat plane, `step` from neighbour to neighbour."""
    n, width = len(out), 2 * radius + 1
    sums, size, total, start = x, 1, x, 1
    plan = []
    while 2 * size <= width:
        length = n + (width - 2 * size) * step
        plan.append((sums[:length], sums[size * step:][:length], spare[0][:length]))
        sums, spare, size = spare[0], spare[::-1], 2 * size
        if width & size:
            plan.append((total[:n], sums[start * step:][:n], out))
            total, start = out, start + size
    return plan


def _load(images, centres, strip, top, left):
    """Rows from `top` and columns from `left` of centred images; the columns outside the image stay zero."""
    rows, pitch = strip.shape[-2:]
    H, W = images[0].shape
    x, inside = slice(max(0, left), min(W, left + pitch)), max(0, min(H - top, rows))
    strip[:, inside:] = 0
    if inside:
        for image, centre, plane in zip(images, centres, strip, strict=True):
            torch.sub(image[top:top + inside, x], centre, out=plane[:inside, x.start - left:x.stop - left])


def _count(first, number, n, radius, like):
    """Neighbours inside an image of n pixels, of the pixels from `first`; infinite for pixels outside."""
    i = torch.arange(first, first + number)
    count = (i + radius).clamp(max=n - 1) - (i - radius).clamp(min=0) + 1
    return count.to(like.dtype).masked_fill((i < 0) | (i >= n), torch.inf)
