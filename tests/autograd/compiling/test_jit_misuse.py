"""Misuse of ``jit`` is an error at trace time; a test for each: what it says, the line, and what to write instead."""

import math
import random
import threading
import warnings
from collections import deque
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng

import nn
from autograd import Value, grad, jit
from autograd.compiling.tracer import TracingError

x3 = np.array([0.5, -1.0, 2.0])


def refused(f: Any, *args: Any, what: str, remedy: str, line: str | None = None) -> None:
    """It says what, names the line of the function, and the remedy; and again at a second call."""
    jitted = jit(f, backend="numpy")
    for _ in range(2):
        with pytest.raises(TracingError) as caught:
            jitted(*args)
        first, *rest = str(caught.value).splitlines()
        assert first.startswith("jit: ")
        assert what in first, first
        assert remedy in " ".join(rest), rest
        if line is not None:
            assert "test_jit_misuse.py:" in first, first
            assert first.endswith(line), first


# Numbers that the next call would not have

def test_if():
    def f(x: Any) -> Any:
        if x > 0:
            return x
        return -x
    refused(f, 1.0, what="the truth (if, while,", remedy="np.where(condition, a, b)", line="if x > 0:")


def test_while():
    def f(x: Any) -> Any:
        while x < 10:
            x = x * 2
        return x
    refused(f, 1.0, what="the truth", remedy="np.where", line="while x < 10:")


def test_assert():
    def f(x: Any) -> Any:
        assert np.all(x > 0), "positive"
        return x * 2
    refused(f, x3, what="assert", remedy="np.where", line='assert np.all(x > 0), "positive"')


def test_and_or_not():
    for f in (lambda x: (x > 0) and (x < 1), lambda x: (x > 0) or (x < 1), lambda x: not x):
        refused(f, 1.0, what="and, or, not", remedy="np.where")


def test_min_and_max():
    refused(lambda x, y: max(x, y), 1.0, 2.0, what="min, max", remedy="np.maximum for max")
    refused(lambda x: sorted([x[0], x[1]]), x3, what="the truth", remedy="np.where")


def test_in_a_list():
    refused(lambda x: x in [1.0, 2.0], 1.0, what="the truth", remedy="np.where")


def test_keys_of_dicts_and_items_of_sets():
    table = {1.0: "one"}
    for f in (lambda x: x in {1.0, 2.0}, lambda x: table[x], lambda x: {x: 1}, lambda x: {x}):
        refused(f, 1.0, what="the hash (a key of a dict, an item of a set) of a traced value", remedy="outside")


def test_the_truth_of_an_array():
    with pytest.raises((TracingError, ValueError), match="truth"):
        jit(lambda x: 1.0 if x else 2.0)(x3)


def test_a_comparison_of_values():
    w = Value(2.0)
    refused(lambda x: 1.0 if w * x > 1 else 2.0, 1.0, what="the truth", remedy="np.where")


def test_float_int_complex():
    refused(lambda x: float(np.sum(x)), x3, what="float() of a traced value", remedy="convert it outside",
            line=None)
    refused(lambda x: int(x), 1.5, what="int() of a traced value", remedy="convert it outside")
    refused(lambda x: complex(x), 1.5, what="complex() of a traced value", remedy="convert it outside")
    refused(lambda x: round(x, 1), 1.5, what="round() of a traced value", remedy="np.round")


def test_float_of_a_value():
    w = Value(2.0)

    def f(x: Any) -> Any:
        cost = w * x
        return float(cost)
    refused(f, 1.5, what="of a traced value", remedy="outside", line="return float(cost)")


def test_item_and_tolist():
    refused(lambda x: x.sum().item(), x3, what=".item() of a traced value", remedy="call .item() outside")
    refused(lambda x: x.tolist(), x3, what=".tolist() of a traced value", remedy="call .tolist() outside")


def test_the_math_module():
    def f(x: Any) -> Any:
        return math.sqrt(x)
    refused(f, 2.0, what="float()", remedy="np.sqrt(x) for math.sqrt(x)", line="return math.sqrt(x)")


def test_asarray_and_array():
    for convert in (np.asarray, np.array, np.ascontiguousarray, lambda x: np.array([x, x]), np.vectorize(lambda x: x)):
        refused(lambda x, convert=convert: convert(x), x3, what="np.asarray, np.array", remedy="np.stack([...])")


def test_print_str_repr_format(capsys):
    for show in (print, str, repr, lambda x: f"{x:.3f}", lambda x: f"{x}", lambda x: f"{x}", "{:5.2f}".format):
        refused(lambda x, show=show: show(x), 1.5, what="of a traced value", remedy="print it outside")
        refused(lambda x, show=show: show(x), x3, what="of a traced value", remedy="print it outside")
    assert capsys.readouterr().out == ""


def test_print_of_a_value():
    w = Value(2.0)
    for show in (print, str, repr, lambda v: f"{v:.3f}"):
        refused(lambda x, show=show: show(w * x), 1.5, what="of a traced value", remedy="print it outside")


def test_the_line_is_that_of_the_user_inside_of_nn():
    model = nn.Linear(3, 2, rng=0, dtype=float)

    def f(x: Any) -> Any:
        y = model(x)
        return nn.mse_loss(y, np.asarray(x[:2]))
    refused(f, x3, what="np.asarray", remedy="np.stack", line="return nn.mse_loss(y, np.asarray(x[:2]))")


# Sizes

def test_masks_and_their_like():
    refused(lambda x: x[x > 0], x3, what="indexing by a traced mask", remedy="np.where(mask, a, 0)")
    for f in (np.nonzero, np.flatnonzero, np.argwhere, np.unique, lambda x: np.where(x > 0), lambda x: x.nonzero(),
              lambda x: np.extract(x > 0, x), lambda x: np.compress(x > 0, x)):
        refused(lambda x, f=f: f(x), x3, what="whose result's size depends on the numbers",
                remedy="np.where(mask, a, b)")


def test_a_traced_value_as_a_size():
    for f in (lambda n: range(n), lambda n: np.zeros(n), lambda n: [0] * n, lambda n: np.arange(6)[:n],
              lambda n: "ab" * n):
        refused(f, np.int64(3), what="an integer (an index, range, a size)",
                remedy="must be a Python integer argument")
    for g in (lambda x, n: x.reshape(n, 2), lambda x, n: np.tile(x, n), lambda x, n: np.broadcast_to(x, (n, 6)),
              lambda x, n: np.expand_dims(x, axis=n)):
        refused(g, np.ones(6), np.int64(3), what="an integer (an index, range, a size)",
                remedy="A size must be a Python integer argument")


def test_an_index_of_a_list():
    layers = [1.0, 2.0]
    refused(lambda i: layers[i], np.int64(1), what="an integer (an index,", remedy="np.take")


# Where traced numbers go

def test_storing_into_a_plain_array():
    def f(x: Any) -> Any:
        a = np.zeros(3)
        a[0] = x
        return a
    for x in (1.0, x3[0], x3[:1]):
        with pytest.raises((TracingError, ValueError)) as caught:  # NumPy puts an error of its own before it
            jit(f, backend="numpy")(x)
        cause = caught.value.__cause__ or caught.value
        assert isinstance(cause, TracingError)
        assert str(cause).splitlines()[0].endswith("a[0] = x")
        assert "np.zeros_like(x)" in str(cause)

    def g(x: Any) -> Any:
        a = np.zeros(3)
        np.add(x, 1, out=a)
        return a
    refused(g, x3, what="np.add(out=...) stores traced numbers", remedy="np.zeros_like(x)", line="np.add(x, 1, out=a)")

    def h(x: Any) -> Any:
        a = np.zeros(3)
        a += x
        return a
    refused(h, x3, what="stores traced numbers", remedy="np.zeros_like(x)", line="a += x")


def test_appending_to_a_list_outside():
    history: list = []
    refused(lambda x: history.append(x * 2), x3, what="a list changes its length", remedy="append it outside")
    assert history == []


def test_a_deque_and_a_set():
    recent = deque([1.0], maxlen=3)
    refused(lambda x: recent.append(x), 1.0, what="recent is a deque that holds arrays or numbers", remedy="in a list")
    assert list(recent) == [1.0]
    empty: deque = deque()
    refused(lambda x: empty.append(x), 1.0, what="a deque changes its length", remedy="outside")
    names = {"a"}
    refused(lambda x: (names.add("b"), x * 2)[1], 1.0, what="a set changes its length", remedy="outside")
    assert (list(empty), names) == ([], {"a"})


def test_deleting():
    box = {"a": 1.0, "b": 2.0}

    def f(x: Any) -> Any:
        del box["a"]
        return x * 2
    refused(f, 1.0, what="is deleted", remedy="do it outside")
    assert box == {"a": 1.0, "b": 2.0}


def test_a_container_among_the_arguments():
    def f(d: Any) -> Any:
        d["y"] = d["x"] * 2
        return d["y"] * 1

    def g(items: Any) -> Any:
        items.append(items[0] * 2)
        return items[0] * 1
    refused(f, {"x": x3}, what="args[0] is changed, a dict that the caller passed", remedy="Return what is new")
    refused(g, [x3], what="args[0] is changed, a list that the caller passed", remedy="Return what is new")


def test_a_traced_value_that_leaks():
    class Keeper:
        def __setattr__(self, name: str, value: Any) -> None:
            leaked.append(value)

    leaked: list = []
    hidden = threading.local()  # where nobody looks

    def f(x: Any) -> Any:
        hidden.x = x
        return x * 2

    jit(f, backend="numpy")(x3)
    with pytest.raises(TracingError, match=r"used after its trace has ended.*\n.*Return what is needed later"):
        np.sin(hidden.x)
    with pytest.raises(TracingError, match=r"used after its trace has ended|of another trace"):
        jit(lambda x: x + hidden.x, backend="numpy")(x3)


def test_a_result_that_is_an_argument_or_a_parameter():
    w, box = Value(x3.copy()), {"a": x3.copy()}
    for f in (lambda x: x, lambda x: x.T, lambda x: x[1:], lambda x: [1, {"a": x[::2]}], lambda x: x.reshape(3, 1),
              lambda x: np.squeeze(x[None]), lambda x: np.split(x, 3)[1], np.atleast_1d, np.real):
        refused(f, x3, what="args[0] itself or a view of it", remedy="Write .copy() after it.")
    refused(lambda x: w.data, x3, what="w.data itself or a view", remedy="Write .copy()")
    refused(lambda x: w.data[1:], x3, what="w.data itself or a view", remedy="Write .copy()")
    refused(lambda x: box["a"], x3, what="itself or a view", remedy="Write .copy()")


def test_an_array_changed_through_a_reshaped_view():
    def f(x: Any) -> Any:
        rows = (x * 2).reshape(3, 1)
        rows += 1
        return rows
    refused(f, x3, what="changed in place through a view", remedy="a[i] = x")

    def g(x: Any) -> Any:
        first, _ = np.split(x * 2, [1])
        first += 1
        return x * 2
    refused(g, x3, what="changed in place through a view", remedy="a[i] = x")


def test_arrays_that_share_memory_with_what_is_changed():
    a = np.zeros(4)
    b = a[1:]

    def f(x: Any) -> Any:
        a[...] = x
        return b * 2
    refused(f, 1.0, what="shares memory with another one", remedy="a.copy()")

    def g(p: Any, q: Any) -> Any:
        p += 1
        return p + q
    jitted = jit(g, backend="numpy")
    jitted(np.zeros(3), np.zeros(3))
    with pytest.raises(TracingError, match="shares memory with another one"):
        jitted(b, b)
    with pytest.raises(TracingError, match="shares memory with another one"):
        jitted(a[:3], a[1:])


def test_sorting_in_place():
    refused(lambda x: (x * 2).sort(), x3, what="sorted, partitioned or resized in place", remedy="np.sort(a)")


def test_copying_and_pickling_a_traced_value():
    import pickle
    refused(lambda x: pickle.dumps(x), x3, what="copying or pickling of a traced value", remedy="x.copy()")


# Randomness

def test_a_generator_made_inside():
    refused(lambda x: x * np.random.default_rng(0).random(3), x3, what="a generator is made inside",
            remedy="rng = np.random.default_rng(0)")
    refused(lambda x: x * default_rng().random(3), x3, what="a generator is made inside", remedy="outside")
    refused(lambda x: nn.Linear(3, 2, rng=0)(x).data * 1, x3, what="a generator is made inside", remedy="outside")


def test_global_generators():
    state = random.getstate(), np.random.get_state()[2]
    for draw in (lambda: np.random.rand(), lambda: np.random.normal(size=3), random.random, lambda: random.gauss(0, 1),
                 lambda: np.random.seed(3)):
        refused(lambda x, draw=draw: (draw(), x * 2)[1], x3, what="np.random.rand and its like",
                remedy="rng = np.random.default_rng(0)")
    assert (random.getstate(), np.random.get_state()[2]) == state


def test_other_generators():
    legacy, python = np.random.RandomState(0), random.Random(0)
    before = legacy.get_state()[2], python.getstate()
    refused(lambda x: x * legacy.rand(), x3, what="a RandomState", remedy="rng = np.random.default_rng(0)")
    refused(lambda x: x * python.random(), x3, what="Python's random", remedy="rng = np.random.default_rng(0)")
    assert (legacy.get_state()[2], python.getstate()) == before


def test_an_iterator():
    batches = iter([1.0, 2.0, 3.0])
    refused(lambda x: x * next(batches), x3, what="next() of the iterator batches", remedy="pass it as an argument")
    numbers = (float(i) for i in range(3))

    def f(x: Any) -> Any:
        for n in numbers:
            x = x * n
        return x
    refused(f, x3, what="next() of the iterator numbers", remedy="pass it as an argument")
    assert (next(batches), next(numbers)) == (1.0, 0.0)


# The rest

def test_a_number_that_decides_and_changes():
    box = {"n": 0}

    def f(x: Any) -> Any:
        box["n"] += 1
        return x * 2 if box["n"] > 3 else x * 1
    refused(f, x3, what="the truth", remedy="np.where for if", line='return x * 2 if box["n"] > 3 else x * 1')
    assert box["n"] == 0


def test_too_many_traces_warn_once():
    f = jit(lambda x: x * 2, backend="numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(8):
            f(np.ones(n))
    with pytest.warns(RuntimeWarning, match="has been traced 9 times, because shapes.*pad arrays to one") as caught:
        f(np.ones(8))
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(100):
            f(np.ones(n))


def test_results_of_recorded_operations():
    """Their graph lies outside of the program: nothing would flow back to what they were computed from."""
    w = Value(2.0)
    h = w * w
    refused(lambda x: (h * x).backward(), 1.0, what="a backward pass goes on through h, a result of operations",
            remedy=".detach()")
    assert w.grad is None
    assert type(h.data) is float


def test_a_gradient_with_respect_to_what_is_captured():
    """The jitted function inside does not see that it is to be differentiated, and so its result says it."""
    def outer(w: Any) -> Any:
        return jit(lambda x: w * x, backend="numpy")(2.0)
    with pytest.raises(TypeError, match=r"write jit\(grad\(f\)\), or call f.__wrapped__"):
        grad(outer)(3.0)


def test_what_is_no_function():
    with pytest.raises(TypeError, match="f: expected a function, got 3"):
        jit(3)
    with pytest.raises(TypeError, match="f: expected a function, got array"):
        jit(x3)


def test_an_unknown_backend():
    with pytest.raises(ValueError, match=r"backend: expected one of .*'numpy', got 'cuda'"):
        jit(np.sin, backend="cuda")


def test_a_program_before_the_first_call():
    with pytest.raises(ValueError, match="has no program before its first call"):
        _ = jit(np.sin).program


def test_wrong_arguments_are_the_functions_own_errors():
    f = jit(lambda x, y: x + y, backend="numpy")
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        f(1.0)
    assert f(1.0, 2.0) == 3.0
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        f(1.0, z=2.0)
    with pytest.raises(ValueError, match="broadcast"):
        f(np.ones(2), np.ones(3))
    with pytest.raises(TypeError, match="unsupported operand"):
        f(1.0, "a")


def test_an_array_refuses_a_value_in_place_as_it_does_eagerly():
    total, v = np.zeros(3), Value(np.ones(3))

    def f(x: Any) -> Any:
        nonlocal total
        total += v
        return x
    for call in (f, jit(f, backend="numpy")):
        with pytest.raises(TypeError, match=r"such as a \+= v, write a = a \+ v$"):
            call(x3)
    assert type(total) is np.ndarray and not total.any()
