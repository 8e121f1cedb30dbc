"""Cases of the functions that NumPy lacks, and of checkpoint."""

import numpy as np

from autograd import checkpoint
from autograd.checkpoint import recomputed
from autograd.functions import (
    affine,
    elu,
    erf,
    gelu,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from autograd.record import astype, unstack
from autograd.rules.indexing import scatter
from tests.autograd.cases import case

__all__ = ["CASES"]

CASES = [
    *[case(f, 1) for f in (relu, leaky_relu, hardtanh, sigmoid, softplus, silu, elu, erf, gelu)],
    case(gelu, 1, lambda x: gelu(x, approximate="tanh"), name="tanh"),
    *[case(f, lambda n, m: [(n, m)]) for f in (softmax, log_softmax, logsumexp)],
    *[case(f, lambda n, m: [(n, m)], lambda x, f=f: f(x, axis=0), name="axis 0") for f in (softmax, log_softmax)],
    case(logsumexp, lambda n, m: [(n, m)], lambda x: logsumexp(x, axis=(0, -1), keepdims=True), name="axes"),
    case(affine, lambda n, i, o: [(n, i), (o, i), (o,)]),
    case(affine, lambda n, i, o: [(2, n, i), (o, i), (o,)], name="of rows of rows"),
    case(astype, 1, lambda x: np.real((1 + 1j) * x.astype(np.complex128) ** 2),
         name="to complex", float32=False),  # which makes it complex128
    case(unstack, lambda n, m: [(n, m)], lambda x: unstack(x), complex=True),
    case(scatter, lambda n: [(3, n)], lambda g: scatter(g, [2, 0, 2], (4, np.shape(g)[1])), complex=True),
    case(recomputed, 2, checkpoint(lambda x, y: np.tanh(x * y) * y)),
    case(recomputed, lambda n: [(n,), (n, n)], checkpoint(lambda x, w: w @ x + np.sum(w, 0)), name="matrices"),
]
