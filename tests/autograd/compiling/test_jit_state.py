"""``jit`` of functions that read and change what lies outside: objects, closures, globals, arrays and their views."""

import dataclasses
import functools
import math
import sys
import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from autograd import Value, jit
from tests.autograd.compiling.same import BACKENDS, TOLERANCE, assert_same, both

x3 = np.array([0.5, -1.0, 2.0])
NUMPY = "numpy"
number, array, table, text = 2.0, np.ones(3), {"a": [np.ones(2), 3.0], "n": 4}, "sum"


class Box:
    """An object with any attributes."""

    shared = np.ones(3)
    weight = Value(2.0)
    settings: ClassVar[dict[str, Any]] = {"scale": 1.0, "parts": [np.ones(3)]}
    kind = "sum"

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


# Reading what has changed in between

def global_function(x: Any) -> Any:
    y = x * number + array[0] + table["a"][0][1] * table["a"][1] + table["n"]
    return np.sum(y) if text == "sum" else y


def test_globals(monkeypatch):
    here = sys.modules[__name__]
    f = jit(global_function, backend=NUMPY)

    def same() -> None:
        for _ in range(2):
            assert_same(f(x3), global_function(x3))

    same()
    for name, new in [("number", 5.0), ("array", np.full(3, 7.0)), ("array", np.full(5, 8.0)), ("text", "all"),
                      ("table", {"a": [np.zeros(2), 1.0], "n": 2}), ("number", np.float32(2)), ("number", 3)]:
        monkeypatch.setattr(here, name, new)
        same()
    for change in (lambda: array.__setitem__(0, 9.0), lambda: table["a"].__setitem__(1, 2.5),
                   lambda: table["a"][0].__setitem__(1, 4.0), lambda: table.__setitem__("n", 7)):
        change()
        same()


def test_a_function_of_a_package_that_is_bound_anew(monkeypatch):
    from autograd import functions
    module = types.ModuleType("settings_of_a_user")
    module.__dict__.update(act=functions.relu, sub=types.ModuleType("more"))
    module.sub.w = np.ones(3)
    f = jit(lambda x: module.act(x) * module.sub.w, backend=NUMPY)
    assert_same(f(x3), functions.relu(x3))
    module.act = functions.sigmoid
    assert_same(f(x3), functions.sigmoid(x3))
    module.sub.w[:] = 3
    assert_same(f(x3), functions.sigmoid(x3) * 3)


def test_closures_and_defaults():
    a, n, default, keyword = np.ones(3), 2.0, np.zeros(3), [1.0]

    def f(x: Any, d: Any = default, *, k: Any = keyword) -> Any:
        return x * a * n + d + k[0]

    def rebind() -> None:
        nonlocal a, n
        a, n = np.full(3, 5.0), -1.0

    jitted = jit(f, backend=NUMPY)
    for change in (lambda: None, lambda: a.fill(4), lambda: default.fill(2), lambda: keyword.__setitem__(0, 3.0),
                   rebind):
        change()
        assert_same(jitted(x3), f(x3))
    assert jitted._traces == 1


@dataclasses.dataclass
class Settings:
    lr: float


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: Any


class Slotted:
    __slots__ = ("__private", "public")

    def __init__(self) -> None:
        self.__private, self.public = np.ones(3), 1.0

    def private(self) -> Any:
        return self.__private


@pytest.mark.filterwarnings("ignore:jit. f has been traced:RuntimeWarning")
def test_every_kind_of_holder():
    """Changed in place or bound anew, each shows in the next call."""
    box = Box(a=np.ones(3), d={"x": np.ones(3), "y": [1.0, (np.ones(3), 2.0)]}, o=OrderedDict(a=np.ones(3)),
              f=defaultdict(list, a=np.ones(3)), inner=Box(b=1.0), settings_=Settings(0.5), frozen=Frozen(np.ones(3)),
              slotted=Slotted(), space=types.SimpleNamespace(a=np.ones(3)), v=Value(np.ones(3)), z=np.array(2.0),
              c=1 + 2j, s=np.float32(3))

    def f(x: Any) -> Any:
        d, y = box.d, box.d["y"]
        total = box.a + d["x"] * y[0] + y[1][0] * y[1][1] + box.o["a"] + box.f["a"] + box.inner.b + box.settings_.lr
        total = total + box.frozen.a + box.slotted.private() * box.slotted.public + box.space.a + box.v.data
        total = total + box.z + box.c + box.s + box.shared + box.weight.data + box.settings["scale"]
        total = total + box.settings["parts"][0]
        return x * total if box.kind == "sum" else x - total

    jitted = jit(f, backend=NUMPY)
    changes = [
        lambda: None, lambda: box.a.fill(2), lambda: setattr(box, "a", np.full(3, 3.0)), lambda: box.d["x"].fill(4),
        lambda: box.d["y"].__setitem__(0, 5.0), lambda: box.d["y"][1][0].fill(6),
        lambda: box.d["y"].__setitem__(1, (np.full(3, 7.0), 8.0)), lambda: box.d.update(y=[1.0, (np.ones(3), 2.0)]),
        lambda: box.o.update(a=np.full(3, 2.0)), lambda: box.f["a"].fill(3), lambda: setattr(box.inner, "b", 2.5),
        lambda: setattr(box, "inner", Box(b=3.5)), lambda: setattr(box, "settings_", Settings(0.5)),
        lambda: setattr(box.settings_, "lr", 0.25), lambda: box.frozen.a.fill(3), lambda: box.slotted.private().fill(4),
        lambda: setattr(box.slotted, "public", 2.0), lambda: box.space.a.fill(5), lambda: box.v.data.fill(6),
        lambda: setattr(box.v, "data", np.full(3, 7.0)), lambda: setattr(box, "v", Value([1.0, 2.0, 3.0])),
        lambda: box.z.__setitem__((), 3.0), lambda: setattr(box, "z", np.array(4.0)), lambda: setattr(box, "c", 3.0),
        lambda: setattr(box, "s", np.float64(3)), lambda: box.shared.fill(2), lambda: setattr(box.weight, "data", 3.0),
        lambda: box.settings.update(scale=2.0), lambda: box.settings["parts"][0].fill(3),
        lambda: setattr(box, "kind", "other"), lambda: setattr(box, "shared", np.full(3, 9.0)),
    ]
    for i, change in enumerate(changes):
        change()
        for _ in range(2):
            got, wanted = jitted(x3), f(x3)
            assert got.dtype == wanted.dtype, i
            np.testing.assert_allclose(got, wanted, rtol=1e-15, err_msg=f"after change {i}")


def test_what_is_replaced_by_its_equal():
    """The new object counts, though it compares equal: it is what will change from now on."""
    def make() -> Any:
        box = Box(w=[Value(1.0)], v=[0.0], a=[np.zeros(1)], c=Settings(0.5))

        def f(x: Any) -> Any:
            box.w[0].data = box.w[0].data + x
            box.v[0] = box.v[0] + x
            box.a[0] += x
            return box.w[0].data * box.v[0] * box.a[0][0] * box.c.lr
        return f, box

    def use(f: Callable, box: Box) -> Any:
        results = [f(1.0), f(1.0)]
        box.w[0], box.v, box.a[0], box.c = Value(3.0), [2.0], np.array([2.0]), Settings(0.5)
        results += [f(1.0), vars(box).copy()["v"][:], f(2.0)]
        box.c.lr = 4.0
        return [*results, f(1.0), box.w[0].data, box.v, box.a]

    both(make, use, NUMPY)


def test_two_places_that_hold_one_array():
    def make() -> Any:
        a = np.zeros(3)
        box = Box(a=a, b=[a], c=np.zeros(3))

        def f(x: Any) -> Any:
            box.a += x
            box.c += box.b[0]
            return box.b[0] * 2
        return f, vars(box)

    def use(f: Callable, state: dict) -> Any:
        results = [f(1.0), f(2.0)]
        state["b"][0] = np.full(3, 7.0)  # now they are two
        return [*results, f(1.0), f(1.0)]

    both(make, use, NUMPY)


def test_bound_methods_and_partials():
    w = np.eye(3)
    box = Box(apply=w.dot, scaled=functools.partial(np.multiply, w[0].copy()))
    first = np.ones(3)
    f = jit(functools.partial(lambda a, x: box.apply(x) + box.scaled(x) + a, first), backend=NUMPY)
    for change in (lambda: None, lambda: w.fill(2), lambda: box.scaled.args[0].fill(3), lambda: first.fill(4)):
        change()
        assert_same(f(x3), f.__wrapped__(x3))
    assert f._traces == 1


# Writing

def counters() -> Any:
    box = Box(n=0, total=0.0, ratio=np.float32(1), best=None, on=True, name="a", pair=(0, 1.0), d={"k": 1.0},
              l=[1, 2.0])

    def f(x: Any) -> Any:
        box.n += 1
        box.total += x
        box.ratio = box.ratio * np.float32(2)
        box.best = box.total * 2
        box.pair = (box.pair[0] + 1, box.pair[1] * x)
        box.d["k"] = box.d["k"] + x
        box.l[0], box.l[1] = box.l[0] + 2, box.l[1] * x
        if box.on:
            box.on, box.name = False, "b"
        return box.total * box.n
    return f, vars(box)


def arrays() -> Any:
    box = Box(a=np.zeros((3, 2)), b=np.arange(6.0), c=np.zeros((2, 3), np.float32), z=np.array(1.0),
              buffer=np.zeros(4), i=0)

    def f(x: Any) -> Any:
        row = box.a[1]
        row += x
        box.a[0, :] = row
        column = box.a[:, 0]
        column *= 2
        box.b[::2] -= box.b[1::2]
        np.add.at(box.b, [0, 0, 1], x)
        np.copyto(box.c, box.a.T)
        np.multiply(box.c, 2, out=box.c)
        box.z += x
        box.buffer[box.i % 4] = x
        box.i += 1
        tail = box.b[3:]
        tail[:] = box.b[:3]
        kept = box.b.copy()
        box.b += 1
        return kept, box.a.flatten() + 0, box.b * 1
    return f, vars(box)


def swaps() -> Any:
    box = Box(a=np.ones(3), b=np.zeros(3), p=Value(np.ones(3)), q=Value(np.zeros(3)))

    def f(x: Any) -> Any:
        old = box.a.copy()
        box.a[...] = box.b
        box.b[...] = old + x
        box.p.data, box.q.data = box.q.data, box.p.data
        return box.a - box.b
    return f, vars(box)


def new_ones() -> Any:
    box = Box(last=np.zeros(3), log={}, pair=(np.zeros(3), [0.0]))

    def f(x: Any) -> Any:
        box.last = x3 * x
        box.log["x"] = box.last + 1
        box.log["fixed"] = np.zeros(2)
        box.pair = (box.last * 2, [x, box.log["x"]])
        return box.last * 3
    return f, vars(box)


def masks() -> Any:
    box = Box(a=np.array([1.0, -2.0, 3.0]))

    def f(x: Any) -> Any:
        a = box.a * x
        a[0] = 5
        np.maximum(a, 0, out=a)
        b = np.divide(1.0, a, out=np.full_like(a, 7.0), where=a > 0)
        c = np.nan_to_num(np.where(a > 0, np.nan, a), copy=False)
        first, second = np.split(a * 1, [1])
        d = np.atleast_1d(a)
        d += 1
        return a, b, c, first, second
    return f, vars(box)


def as_they_were() -> tuple[Callable, dict]:
    """What arrays held before they were overwritten: as a result, in another place, and through a view."""
    box = Box(a=np.arange(4.0), b=np.arange(4.0) + 4, m=np.arange(9.0).reshape(3, 3), k=np.ones((3, 3)),
              z=np.array(2.0), old=None)

    def f(x: float) -> Any:
        before = box.a.copy(), box.m.T.copy(), box.m * 1, box.z.copy()
        box.a -= x
        box.m -= box.k.T
        box.k *= 2 * x
        box.k[0] += box.m[:, 1]
        box.z -= 1.0
        kept = box.a.copy()
        box.a[...] = box.b
        box.b[...] = kept
        box.old = box.k.copy()
        box.k += box.k.T
        return before
    return f, vars(box)


@pytest.mark.parametrize("make", [counters, arrays, swaps, new_ones, masks, as_they_were])
@pytest.mark.parametrize("backend", BACKENDS)
def test_writes(make, backend):
    def use(f: Callable, state: Any) -> Any:
        results = []
        for x in (1.5, 2.0, -0.5, 1.0):
            results.append(f(x))
            results.append({k: np.copy(v) if isinstance(v, np.ndarray) else v for k, v in state.items()
                            if k not in ("p", "q")})
        return results

    both(make, use, backend, ulps=TOLERANCE[backend])


def test_arguments_that_are_changed():
    def f(a: Any, b: Any) -> Any:
        a += b
        a[0] = 9.0
        return np.sum(a)

    a, b = np.zeros(3), np.zeros(3)
    jitted = jit(f, backend=NUMPY)
    for k in (1.0, 2.0):
        assert_same(jitted(a, x3 * k), f(b, x3 * k))
        assert_same(a, b)
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        jitted(frozen, x3)


def test_counters_outside_of_the_class():
    """A float that decides a branch: one plan for each value that it has had."""
    box = Box(momentum=0.0, epoch=0.0, nan=math.nan)

    def f(x: Any) -> Any:
        y = x * 3 if math.isnan(box.nan) else x
        return y * 2 if box.momentum else y

    jitted = jit(f, backend=NUMPY)
    for box.momentum in (0.0, 0.5, 0.0, 0.5, 0.9):
        for _ in range(2):
            assert_same(jitted(x3), f(x3))
    assert jitted._traces == 3
    box.nan = 1.0
    assert_same(jitted(x3), f(x3))


@pytest.mark.filterwarnings("error")
def test_integers_that_change_outside():
    """Those that only take part in arithmetic, or none at all, need no new plan; sizes and branches do."""
    box = Box(epoch=0, step=1, width=2, level=0, key=1, table={1: 2.0, 2: 5.0})

    def f(x: Any) -> Any:
        y = x * box.step + np.arange(6) // (box.step + 1)
        y = np.reshape(y, (box.width, -1)) if box.level < 2 else -y
        return y * box.table[box.key]

    x6 = np.arange(6.0)
    jitted = jit(f, backend=NUMPY)
    jitted(x6)
    for box.epoch in range(30):
        box.step += 3
        assert_same(jitted(x6), f(x6))
    assert jitted._traces <= 3
    for name, n in [("width", 3), ("width", 2), ("level", 1), ("level", 5), ("key", 2), ("width", 3)]:
        setattr(box, name, n)
        for box.step in (1, 2):
            assert_same(jitted(x6), f(x6))
    assert jitted._traces <= 8
