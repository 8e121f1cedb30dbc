"""Functions whose results are piecewise constant or not numbers: of Values, they give plain arrays."""

import numpy as np

from ..registry import nondifferentiable

# What they say of an array
nondifferentiable(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
                  np.shares_memory, np.may_share_memory, np.array_repr, np.array_str, np.array2string,
                  np.zeros_like, np.ones_like, np.empty_like, np.common_type, np.min_scalar_type, np.einsum_path,
                  np.linalg.matrix_rank)

# Comparisons and logic
nondifferentiable(np.equal, np.not_equal, np.greater, np.greater_equal, np.less, np.less_equal,
                  np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.all, np.any,
                  np.isfinite, np.isinf, np.isnan, np.isneginf, np.isposinf, np.isreal, np.iscomplex, np.signbit,
                  np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isin)

# Positions and counts
nondifferentiable(np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere, np.nonzero, np.flatnonzero,
                  np.count_nonzero, np.searchsorted, np.digitize, np.lexsort, np.nanargmax, np.nanargmin,
                  np.diag_indices_from, np.tril_indices_from, np.triu_indices_from)

# Steps: the derivative is 0 wherever there is one
nondifferentiable(np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, np.fix, np.floor_divide, np.spacing)
