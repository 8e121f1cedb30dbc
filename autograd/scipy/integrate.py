"""``odeint``, differentiable with respect to the start, the times and the arguments; the rest of scipy.integrate as it
is."""

from typing import Any

import numpy as np
import scipy.integrate

from ..record import primitive
from ..registry import rule
from ..transforms import make_jvp, make_vjp
from ..trees import leaves, tree_map
from ..value import holds_value

__all__ = ["odeint"]


def __getattr__(name: str) -> Any:
    return getattr(scipy.integrate, name)


def odeint(func: Any, y0: Any, t: Any, args: tuple = (), *, rtol: Any = None, atol: Any = None, **options: Any) -> Any:
    """scipy.integrate.odeint: the solution of dy/dt = ``func(y, t, *args)``, a row for each time in ``t``.

    ``args`` may hold numbers, arrays, and nested containers of them. The reverse mode solves the adjoint equation
    backwards between the times, the forward mode that of the tangents, with the same tolerances; so derivatives are as
    exact as ``rtol`` and ``atol`` say. What ``func`` depends on must come in by ``args``.

    Raises ``TypeError`` for options that make the result or ``func`` another, where a derivative is asked for.
    """
    if not holds_value([y0, t, *leaves(args)]):
        return scipy.integrate.odeint(func, y0, t, args, rtol=rtol, atol=atol, **options)
    unknown = set(options) - {"h0", "hmax", "hmin", "mxstep", "mxhnil", "mxordn", "mxords", "printmessg", "ixpr"}
    if unknown:
        raise TypeError(f"odeint is not differentiable with {', '.join(sorted(unknown))}; leave it out")
    moving = [x for x in leaves(args) if holds_value(x)]
    shapes = [np.shape(x) for x in moving]
    ends = [int(end) for end in np.cumsum([int(np.prod(shape)) for shape in shapes])]

    def arguments(theta: Any) -> tuple:
        """The arguments of ``func``, of which those that are differentiated come in one vector."""
        parts = iter([np.reshape(theta[start:end], shape)
                      for start, end, shape in zip([0, *ends], ends, shapes, strict=False)])
        return tree_map(lambda x: next(parts) if holds_value(x) else x, args)

    vectors = [np.reshape(x, -1) for x in (y0, t, *moving)]
    sizes = np.size(vectors[0]), np.size(vectors[1])
    return _odeint(np.concatenate(vectors), sizes, func, arguments, {"rtol": rtol, "atol": atol, **options})


@primitive
def _odeint(flat: Any, sizes: tuple[int, int], func: Any, arguments: Any, options: dict) -> Any:
    """The solution for what ``flat`` joins: the start, the times, and the differentiable arguments."""
    y0, t, theta = _parts(flat, sizes)
    return scipy.integrate.odeint(func, y0, t, arguments(theta), **options)


def _parts(flat: Any, sizes: tuple[int, int]) -> tuple:
    n, m = sizes
    return flat[:n], flat[n : n + m], flat[n + m :]


def _slope(func: Any, arguments: Any) -> Any:
    """``func`` as a function of the state, the time and one vector."""
    def slope(y: Any, t: Any, theta: Any) -> Any:
        found = func(y, t, *arguments(theta))
        return np.reshape(np.stack(found) if isinstance(found, (list, tuple)) else found, -1)

    return slope


def _vjp(g: Any, y: Any, flat: Any, sizes: Any, func: Any, arguments: Any, options: Any) -> Any:
    (n, m), (_, t, theta), slope = sizes, _parts(flat, sizes), _slope(func, arguments)

    def backwards(state: Any, t: Any, theta: Any) -> Any:
        """The slopes of the state, of its adjoint, and of the gradient of the vector."""
        pull, forth = make_vjp(slope, (0, 2))(state[:n], t, theta)
        return np.concatenate([forth, *pull(-state[n : 2 * n])])

    adjoint, of_theta, of_times = np.zeros_like(g[0]), np.zeros_like(theta), []
    for i in range(m - 1, 0, -1):
        adjoint = adjoint + g[i]
        of_times.append(np.sum(g[i] * slope(y[i], t[i], theta)))
        state = odeint(backwards, np.concatenate([y[i], adjoint, of_theta]), np.stack([t[i], t[i - 1]]), (theta,),
                       **options)[1]
        adjoint, of_theta = state[n : 2 * n], state[2 * n :]
    of_times.append(-np.sum(adjoint * slope(y[0], t[0], theta)))  # to start later is to be back by as much
    return np.concatenate([adjoint + g[0], np.stack(of_times[::-1]), of_theta])


def _jvp(g: Any, y: Any, flat: Any, sizes: Any, func: Any, arguments: Any, options: Any) -> Any:
    (n, _), (y0, t, theta), slope = sizes, _parts(flat, sizes), _slope(func, arguments)
    along_y0, along_t, along_theta = _parts(g, sizes)

    def both(state: Any, t: Any, theta: Any, along: Any) -> Any:
        """The slopes of the state and of its tangent."""
        return np.concatenate(make_jvp(slope, (0, 2))(state[:n], t, theta)((state[n:], along)))

    slopes = np.stack([slope(y[i], t[i], theta) for i in range(np.shape(y)[0])])
    start = along_y0 - slopes[0] * along_t[0]
    tangents = odeint(both, np.concatenate([y0, start]), t, (theta, along_theta), **options)[:, n:]
    return tangents + slopes * np.expand_dims(along_t, -1)


rule(_odeint, _vjp, jvps=[_jvp])
