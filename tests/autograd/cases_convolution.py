"""Cases of convolution and pooling, on one and two spatial axes."""

from autograd.functions import avg_pool, convolve, convolve_filters, convolve_input, max_pool
from autograd.pooling import avg_pool_input, max_pool_along, max_pool_input
from autograd.windows import output_sizes
from tests.autograd.cases import Case, case
from tests.autograd.rows import apart, real

__all__ = ["CASES"]

# Stride, padding, dilation and groups, with the kernel and the least image that it is for
PLAIN = (1, 1), ((0, 0), (0, 0)), (1, 1), 1
MIXED = (2, 1), ((1, 0), (0, 2)), (1, 2), 2
SIGNAL = (2,), ((1, 2),), (2,), 1
POOL = (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)
OVERLAPPING = (2, 3), (1, 2), ((1, 0), (1, 1)), (2, 1)
SMOOTHED = (3, 2), (2, 1), ((1, 1), (0, 1))


def convolutions(name: str, sizes: tuple, kernel: tuple, least: tuple) -> list[Case]:
    """The three functions with the same settings, whose images are some 0 to 3 elements larger than ``least``."""
    stride, padding, dilation, groups = sizes

    def image(n, c, k):
        return (n, c * groups, *(m + k - 1 for m in least))

    def filters(o, c):
        return (o * groups, c, *kernel)

    def output(n, o, k):
        return (n, o * groups, *output_sizes(tuple(m + k - 1 for m in least), kernel, stride, padding, dilation))

    def shape_of(g):  # the images' sizes, as far as they follow from the output's
        return tuple((m - 1) * s - before - after + d * (k - 1) + 1 for m, s, (before, after), d, k in zip(
            g.shape[2:], stride, padding, dilation, kernel, strict=True))

    return [
        case(convolve, lambda n, c, o, k: [image(n, c, k), filters(o, c)], lambda x, w: convolve(x, w, *sizes),
             name=name, complex=True, analytic=True),
        case(convolve_input, lambda n, c, o, k: [output(n, o, k), filters(o, c)],
             lambda g, w: convolve_input(g, w, shape_of(g), *sizes), name=name, complex=True, analytic=True),
        case(convolve_filters, lambda n, c, o, k: [output(n, o, k), image(n, c, k)],
             lambda g, x: convolve_filters(g, x, kernel, *sizes), name=name, complex=True, analytic=True),
    ]


def pools(name: str, sizes: tuple, least: tuple) -> list[Case]:
    kernel, stride, padding, dilation = sizes

    def image(n, c, k):
        return (n, c, *(m + k - 1 for m in least))

    def output(n, c, k):
        return (n, c, *output_sizes(image(n, c, k)[2:], kernel, stride, padding, dilation))

    return [
        case(max_pool, lambda n, c, k: [image(n, c, k)], lambda x: max_pool(x, *sizes), name=name, domain=apart),
        case(max_pool_input, lambda n, c, k: [output(n, c, k), image(n, c, k)],
             lambda g, x: max_pool_input(g, x, max_pool(x, *sizes), *sizes), name=name, domain=[real, apart]),
        case(max_pool_along, lambda n, c, k: [image(n, c, k), image(n, c, k)],
             lambda t, x: max_pool_along(t, x, max_pool(x, *sizes), *sizes), name=name, domain=[real, apart]),
    ]


def means(name: str, kernel: tuple, stride: tuple, padding: tuple, include: bool) -> list[Case]:
    def image(n, c, k):
        return (n, c, *(m + k for m in kernel))

    def output(n, c, k):
        return (n, c, *output_sizes(image(n, c, k)[2:], kernel, stride, padding, (1,) * len(kernel)))

    def shape_of(g):
        return tuple((m - 1) * s - before - after + k for m, s, (before, after), k in zip(
            g.shape[2:], stride, padding, kernel, strict=True))

    return [
        case(avg_pool, lambda n, c, k: [image(n, c, k)], lambda x: avg_pool(x, kernel, stride, padding, include),
             name=name, complex=True, analytic=True),
        case(avg_pool_input, lambda n, c, k: [output(n, c, k)],
             lambda g: avg_pool_input(g, shape_of(g), kernel, stride, padding, include), name=name, complex=True,
             analytic=True),
    ]


CASES = [
    *convolutions("", PLAIN, (2, 3), (2, 3)),
    *convolutions("strided, padded, dilated, in groups", MIXED, (3, 2), (2, 3)),
    *convolutions("of signals", SIGNAL, (3,), (2,)),
    *pools("", POOL, (2, 2)),
    *pools("overlapping", OVERLAPPING, (2, 2)),
    *pools("of signals", ((3,), (2,), ((1, 1),), (1,)), (2,)),
    *means("", (2, 2), (2, 2), ((0, 0), (0, 0)), True),
    *means("with the padding", *SMOOTHED, True),
    *means("without the padding", *SMOOTHED, False),
    *means("of signals", (3,), (1,), ((1, 1),), False),
]
