"""The checks that each case has to pass: both modes against numbers and each other, to second order, in any precision.

They are directional: derivatives along random directions, of the outputs weighted by random numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Value, grad, make_jvp, make_vjp
from tests.autograd.cases import Case
from tests.autograd.numeric import assert_close, difference
from tests.autograd.rows import outputs, project, single

__all__ = ["CHECKS", "check_float32", "check_forward", "check_reverse", "check_second", "check_value"]


def directions(inputs: Sequence[Any], seed: int = 1) -> list:
    """A random direction for each input, complex for a complex one."""
    rng = np.random.default_rng(seed)

    def along(x: Any) -> Any:
        t = rng.choice([-1.0, 1.0], np.shape(x)) * rng.uniform(0.5, 1.5, np.shape(x))
        if np.iscomplexobj(x):
            t = t + 1j * rng.uniform(0.5, 1.5, np.shape(x))
        return np.asarray(t, np.result_type(x))[()]

    return [along(x) for x in inputs]


def moved(inputs: Sequence[Any], ts: Sequence[Any], step: Any, only: Sequence[int]) -> list:
    return [x + step * t if i in only else x for i, (x, t) in enumerate(zip(inputs, ts, strict=True))]


def flat(y: Any) -> np.ndarray:
    """All outputs in one row."""
    return np.concatenate([np.ravel(np.asarray(part)) for part in outputs(y)])


def inner(gs: Sequence[Any], ts: Sequence[Any]) -> Any:
    """The derivative along ``ts`` of a real function with the gradients ``gs``."""
    return sum(np.real(np.sum(g * t)) for g, t in zip(gs, ts, strict=True))


def places(inputs: Sequence[Any]) -> list[tuple[int, ...]]:
    """Each argument alone, and all together."""
    alone = [(i,) for i in range(len(inputs))]
    return alone if len(inputs) == 1 else [*alone, tuple(range(len(inputs)))]


def check_value(case: Case, inputs: Sequence[Any]) -> None:
    """The same numbers, dtypes and shapes as those of plain arrays, also in single precision."""
    for given in (inputs, [single(x) for x in inputs]) if "float32" in case.checks else (inputs,):
        got, wanted = outputs(case.call(*map(Value, given))), outputs(case.call(*given))
        for y, raw in zip(got, wanted, strict=True):
            assert type(y) is Value
            assert y.shape == np.shape(raw)
            assert y.dtype == np.asarray(raw).dtype
            assert isinstance(y.data, np.ndarray) == (y.ndim > 0)
            if case.exact:
                np.testing.assert_array_equal(y.data, raw)
            else:
                np.testing.assert_allclose(y.data, raw, rtol=1e-12 if given is inputs else 1e-5, atol=1e-12)


def check_reverse(case: Case, inputs: Sequence[Any]) -> None:
    """Gradients have the shape and dtype of their argument; along a direction they agree with central differences,
    and with the complex step where the function is analytic."""
    ts = directions(inputs)
    for chosen in places(inputs):
        got = grad(lambda *arrays: project(case.call(*arrays)), chosen)(*inputs)
        for i, g in zip(chosen, got, strict=True):
            assert np.shape(g) == np.shape(inputs[i])
            assert np.result_type(g) == np.result_type(inputs[i])

        def at(step: Any, chosen: tuple = chosen) -> Any:
            return project(case.call(*moved(inputs, ts, step, chosen)))

        along = inner(got, [ts[i] for i in chosen])
        assert_close(along, difference(at), rtol=1e-6, what=f"reverse, arguments {chosen}")
        if case.analytic and not any(map(np.iscomplexobj, inputs)):
            assert_close(along, complex_step(case.call, inputs, ts, chosen), rtol=1e-9,
                         what=f"complex step, arguments {chosen}")


def complex_step(call: Callable, inputs: Sequence[Any], ts: Sequence[Any], chosen: Sequence[int]) -> Any:
    """The derivative of the projected function from one evaluation at a tiny imaginary step, without rounding."""
    h = 1e-30
    rng = np.random.default_rng(0)  # the weights that project gives the outputs, one after the other
    total = 0.0
    for part in outputs(call(*moved(inputs, ts, 1j * h, chosen))):
        weights = rng.uniform(0.5, 1.5, np.shape(part)) * rng.choice([-1.0, 1.0], np.shape(part))
        total = total + np.sum(np.imag(part) / h * weights)
    return total


def check_forward(case: Case, inputs: Sequence[Any]) -> None:
    """Tangents have the shape and dtype of their output, agree with central differences in every element, and with
    reverse mode: ⟨u, Jv⟩ = ⟨Jᵀu, v⟩ to 1e-10."""
    ts = directions(inputs)
    for chosen in places(inputs):
        value, got = make_jvp(case.call, chosen)(*inputs)(tuple(ts[i] for i in chosen))
        assert len(outputs(value)) == len(outputs(got))
        for y, t in zip(outputs(value), outputs(got), strict=True):
            assert np.shape(t) == np.shape(y)
            assert np.result_type(t) == np.result_type(y)
        wanted = difference(lambda step, chosen=chosen: flat(case.call(*moved(inputs, ts, step, chosen))))
        assert_close(flat(got), wanted, rtol=1e-6, what=f"forward, arguments {chosen}")
        us = directions(outputs(value), seed=2)
        vjp = make_vjp(case.call, chosen)(*inputs)[0]
        back = vjp(us[0] if not isinstance(value, (tuple, list)) else
                   type(value)(*us) if hasattr(value, "_fields") else type(value)(us))
        one, other = inner(us, outputs(got)), inner(back, [ts[i] for i in chosen])
        scale = sum(np.sum(np.abs(u * t)) for u, t in zip(us, outputs(got), strict=True))
        assert abs(one - other) <= 1e-10 * max(scale, 0.1), f"⟨u, Jv⟩ = {one}, ⟨Jᵀu, v⟩ = {other}, arguments {chosen}"


def check_second(case: Case, inputs: Sequence[Any]) -> None:
    """The Hessian times a direction, in three orders of the modes, against differences of the gradient; symmetric."""
    everything = tuple(range(len(inputs)))
    ts, ss = directions(inputs, seed=3), directions(inputs, seed=4)

    def f(*arrays: Any) -> Any:
        return project(case.call(*arrays))

    first = grad(f, everything)
    reverse_over_reverse = grad(lambda *arrays: inner(first(*arrays), ts), everything)(*inputs)
    _, forward_over_reverse = make_jvp(first, everything)(*inputs)(tuple(ts))
    reverse_over_forward = grad(lambda *arrays: make_jvp(f, everything)(*arrays)(tuple(ts))[1], everything)(*inputs)
    wanted = difference(lambda step: flat(first(*moved(inputs, ts, step, everything))))
    assert_close(flat(forward_over_reverse), wanted, rtol=1e-6, what="forward over reverse")
    for name, got in (("reverse over reverse", reverse_over_reverse), ("reverse over forward", reverse_over_forward)):
        for g, x in zip(got, inputs, strict=True):
            assert np.shape(g) == np.shape(x)
            assert np.result_type(g) == np.result_type(x)
        assert_close(flat(got), flat(forward_over_reverse), rtol=1e-8, what=name)
    _, other = make_jvp(first, everything)(*inputs)(tuple(ss))
    one, two = inner(forward_over_reverse, ss), inner(other, ts)
    scale = sum(np.sum(np.abs(h * s)) for h, s in zip(forward_over_reverse, ss, strict=True))
    assert abs(one - two) <= 1e-9 * max(scale, 0.1), f"not symmetric: {one} and {two}"


def check_complex(case: Case, inputs: Sequence[Any]) -> None:
    """Reverse, forward and second order with complex inputs."""
    check_reverse(case, inputs)
    check_forward(case, inputs)
    if "second" in case.checks:
        check_second(case, inputs)


def check_float32(case: Case, inputs: Sequence[Any]) -> None:
    """float32 in, float32 out, in both modes, and about the numbers of float64."""
    everything = tuple(range(len(inputs)))
    inputs32 = [single(x) for x in inputs]
    ts = [single(t) for t in directions(inputs)]

    def f(*arrays: Any) -> Any:
        return project(case.call(*arrays))

    for g32, g64, x in zip(grad(f, everything)(*inputs32), grad(f, everything)(*inputs), inputs32, strict=True):
        assert np.result_type(g32) == np.result_type(x)
        assert_close(g32, g64, rtol=2e-3, what="gradient in float32")
    value, got = make_jvp(case.call, everything)(*inputs32)(tuple(ts))
    for t, y in zip(outputs(got), outputs(value), strict=True):
        assert np.result_type(t) == np.result_type(y)
    wanted = make_jvp(case.call, everything)(*inputs)(tuple(directions(inputs)))[1]
    assert_close(flat(got), flat(wanted), rtol=2e-3, what="tangent in float32")


CHECKS = {"value": check_value, "reverse": check_reverse, "forward": check_forward, "second": check_second,
          "complex": check_complex, "float32": check_float32}
