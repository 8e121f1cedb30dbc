"""Every public name of NumPy, np.linalg and np.fft has a rule, gives constants, or is refused by its name."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, defvjp, grad
from autograd.registry import NONDIFFERENTIABLE, REFUSED, RULES, name_of
from autograd.trees import leaves

V, M, S = Value([0.3, -1.2, 2.0]), Value([[0.3, 1.2], [2.0, -0.7]]), Value(2.5)
ARRAY = np.arange(3.0)


def names(text: str) -> set[str]:
    return set(text.split())


# Settings, sizes, dtypes, text and files: they take no arrays of floats.
UTILITIES = names("""
    arange base_repr binary_repr broadcast_shapes datetime_data diag_indices empty eye format_float_positional
    format_float_scientific from_dlpack frombuffer fromfile fromiter frompyfunc fromregex fromstring genfromtxt
    get_include get_printoptions getbufsize geterr geterrcall identity indices info isdtype isfortran isscalar
    issubdtype iterable load loadtxt mask_indices mintypecode nested_iters ones printoptions promote_types
    set_printoptions setbufsize seterr seterrcall show_config show_runtime test tri tril_indices triu_indices
    typename zeros
    """)

# Written in Python, of functions that have rules, so that they need none themselves.
COMPOSED = {"fft.fftfreq", "fft.rfftfreq", "fromfunction", "row_stack"}

# NumPy's other ways to make an array of what it is given, which ask the Value for one.
MAKERS: dict[str, Callable] = {
    **dict.fromkeys(["array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray",
                     "require"], lambda f: f(V)),
    "asmatrix": lambda f: f(M), "bmat": lambda f: f([[M, M]]),
    **dict.fromkeys(["bartlett", "blackman", "hamming", "hanning"], lambda f: f(S)), "kaiser": lambda f: f(5, S),
}

MEMBERS: dict[str, Any] = {
    f"{space}{name}": getattr(module, name)
    for space, module in (("", np), ("linalg.", np.linalg), ("fft.", np.fft))
    for name in dir(module) if not name.startswith("_")
}


def is_in(table: Any, x: Any) -> bool:
    return callable(x) and x in table


def groups(name: str) -> list[str]:
    """Those that a name is in; of classes, only what is said of them counts."""
    x, short = MEMBERS[name], name.split(".")[-1]
    tests = {"rule": is_in(RULES, x), "constant": is_in(NONDIFFERENTIABLE, x), "refused": is_in(REFUSED, x),
             "maker": name in MAKERS, "composed": name in COMPOSED, "utility": short in UTILITIES}
    found = [group for group, is_member in tests.items() if is_member]
    return found or ["class, module or number"] * (inspect.isclass(x) or not callable(x))


def test_every_name_is_in_one_group():
    assert {name: groups(name) for name in MEMBERS if len(groups(name)) != 1} == {}


def test_no_list_holds_a_name_that_numpy_lacks():
    new = {"cumulative_prod", "cumulative_sum", "matvec", "unstack", "vecmat", "vecdot", "row_stack"}  # or gone
    assert UTILITIES | COMPOSED | set(MAKERS) <= set(MEMBERS) | new


CONSTANTS: dict[Callable, tuple] = {  # how each is called; ufuncs with as many Values as they take, the rest with M
    **dict.fromkeys([np.array_equal, np.array_equiv, np.allclose, np.isclose, np.isin, np.may_share_memory,
                     np.shares_memory], (V, V)),
    np.argpartition: (V, 1), np.searchsorted: (V, S), np.digitize: (V, ARRAY), np.can_cast: (V.dtype, "f"),
    np.einsum_path: ("ij,jk->ik", M, M), np.min_scalar_type: (S,), np.common_type: (V, S.data * ARRAY),
}


@pytest.mark.parametrize("name", [name for name, x in MEMBERS.items() if is_in(NONDIFFERENTIABLE, x)])
def test_what_has_no_derivative_gives_plain_results(name: str):
    function = MEMBERS[name]
    args = CONSTANTS.get(function) or ((V,) * function.nin if isinstance(function, np.ufunc) else (M,))
    assert not any(isinstance(y, Value) for y in leaves(function(*args)))
    raw = [a.data if isinstance(a, Value) else a for a in args]
    if function is not np.empty_like:
        np.testing.assert_equal(function(*args), function(*raw))


CALLS: dict[Callable, tuple] = {  # of those that are refused
    np.copyto: (ARRAY, S), np.put: (ARRAY, [0], S), np.place: (V, ARRAY > 0, ARRAY), np.putmask: (V, ARRAY > 0, ARRAY),
    np.put_along_axis: (V, np.array([0]), 1.0, 0), np.fill_diagonal: (M, 1.0), np.histogram2d: (V, V),
    np.ravel_multi_index: ((V,), (3,)), np.unravel_index: (V, (3, 4)), np.busday_offset: (V, 1),
    np.busday_count: (V, V),
    **dict.fromkeys([np.intersect1d, np.setdiff1d, np.setxor1d, np.union1d], (V, ARRAY)),
    **dict.fromkeys([np.save, np.savez, np.savez_compressed, np.savetxt], ("nowhere", V)), np.full: ((3,), S),
}


@pytest.mark.parametrize("name", [name for name, x in MEMBERS.items() if is_in(REFUSED, x)])
def test_what_takes_no_values_says_so_by_name(name: str):
    function = MEMBERS[name]
    args = CALLS.get(function) or ((V,) * function.nin if isinstance(function, np.ufunc) else (V,))
    with pytest.raises(TypeError, match=re.escape(name_of(function)) + " does not take Values: .*(write|pass|apply)"):
        function(*args) if function is not np.vectorize else np.vectorize(abs)(V)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("name", MAKERS)
def test_what_makes_plain_arrays_is_refused(name: str):
    written_in_python = hasattr(MEMBERS[name], "__code__")
    who = rf"np\.{name}" if written_in_python else r"np\.array, np\.asarray or the like"
    with pytest.raises(TypeError, match=f"^{who}: a Value is not turned into an array silently.*write v\\.data"):
        MAKERS[name](MEMBERS[name])


def test_functions_that_consist_of_others_work():
    assert isinstance(np.fft.fftfreq(4, S), Value) and isinstance(np.fft.rfftfreq(4, S), Value)
    assert isinstance(np.fromfunction(lambda i: i * S, (2,)), Value)


@pytest.mark.usefixtures("temporary_rules")
def test_a_rule_takes_a_function_off_the_lists():
    defvjp(np.unique_values, lambda y, x: lambda g: g[np.searchsorted(y, x)])
    assert np.unique_values not in REFUSED
    x = np.array([3.0, 1.0])
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.unique_values(x) * [5.0, 7.0]))(x), [7, 5])
