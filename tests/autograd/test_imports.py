"""Which module imports which: one way through the engine, and nothing beyond NumPy and the standard library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import autograd

ENGINE = Path(autograd.__file__).parent
ROOT = ENGINE.parent

# Each may import those in the groups before its own, and those beside it in the same group where that is said.
ORDER = [
    {"registry", "numerics", "methods", "trees", "batched", "lines", "check"},
    {"calls"},
    {"value"},
    {"parts", "record"},
    {"graph", "updates", "describe", "sources"},
    {"rules"},
    {"windows"},
    {"convolution", "pooling"},
    {"functions", "backward", "forward", "recurrence_loops"},
    {"recurrence"},
    {"linearize"},
    {"transforms", "checkpoint"},
    {"per_example"},
    {"checking", "drawing", "compiling"},
    {"testing"},
    {"scipy"},
    {"__init__"},
    # Names for code written for HIPS autograd, loaded when asked for
    {"builtins", "differential_operators", "numpy", "tracer", "util"},
    {"core", "wrap_util"},
    {"extend", "misc", "test_util"},
]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, with_names: bool = False) -> set[str]:
    """The absolute names of the modules that a file imports; with names, also of what it takes from them."""
    package = path.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                below = ROOT.joinpath(*source.split("."), alias.name)
                is_module = below.with_suffix(".py").exists() or (below / "__init__.py").exists()
                found.add(f"{source}.{alias.name}" if with_names or is_module else source)
    return found


def group(module: str) -> int:
    name = [*module.split("."), "__init__"][1]
    places = [i for i, names in enumerate(ORDER) if name in names]
    assert places, f"{module} has no place in the order of imports: give it one in ORDER"
    return places[0]


FILES = sorted(ENGINE.rglob("*.py"))
IDS = [module_name(path) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_point_one_way(path):
    me = module_name(path)
    for other in imports(path):
        if not other.startswith("autograd") or other == me:
            continue
        same = me.split(".")[1:2] == other.split(".")[1:2]
        assert group(other) < group(me) or same, f"{me} imports {other}"


def test_no_module_leads_back_to_itself():
    edges = {module_name(path): {m for m in imports(path) if m.startswith("autograd")} for path in FILES}
    done: set[str] = set()

    def visit(module: str, above: tuple) -> None:
        assert module not in above, " → ".join([*above, module])
        if module not in done:
            for other in edges.get(module, set()) - {module}:
                visit(other, (*above, module))
            done.add(module)

    for module in edges:
        visit(module, ())


@pytest.mark.parametrize("path", sorted((ENGINE / "rules").rglob("*.py")), ids=module_name)
def test_rule_files_import_only_what_registers_a_rule(path):
    others = {"numpy", "scipy"} if path.parent.name == "special" else {"numpy"}  # which is loaded when SciPy is used
    for module in imports(path):
        top = module.split(".")[0]
        allowed = top in others or top in sys.stdlib_module_names or module.startswith(
            ("autograd.registry", "autograd.value", "autograd.record", "autograd.rules",
             "autograd.updates"))
        assert allowed, module


PUBLIC = set(autograd.__all__) | {f"{module.__name__.removeprefix('autograd.')}.{name}"
                                  for module in (autograd.functions, autograd.recurrence) for name in module.__all__}


def is_public(name: str) -> bool:
    return name == "autograd" or name.removeprefix("autograd.") in PUBLIC


@pytest.mark.parametrize("path", sorted((ROOT / "nn").rglob("*.py")), ids=module_name)
def test_nn_imports_only_public_names(path):
    private = {name for name in imports(path, with_names=True)
               if name.split(".")[0] == "autograd" and not is_public(name)}
    assert not private


def test_public_names_exist():
    for name in autograd.__all__:
        assert hasattr(autograd, name)
    for name in autograd.functions.__all__:
        assert callable(getattr(autograd.functions, name))


def test_a_fresh_import_loads_numpy_and_the_standard_library_alone():
    script = ("import sys, numpy; before = set(sys.modules); import autograd; "
              "print('\\n'.join({m.split('.')[0] for m in set(sys.modules) - before}))")
    ran = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True,
                         check=True)
    loaded = set(ran.stdout.split())
    assert "autograd" in loaded
    assert loaded - {"autograd", "numpy"} <= set(sys.stdlib_module_names)


def test_using_the_engine_loads_nothing_more():
    script = ("import sys, numpy as np, autograd; "
              "autograd.grad(lambda x: np.sum(np.exp(x) * x))(np.ones((2, 2))); autograd.gradcheck(np.sin, 1.0); "
              "print(*(m for m in ('graphviz', 'matplotlib', 'scipy', 'rich', 'pooch', 'numba', 'nn') "
              "if m in sys.modules))")
    ran = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True,
                         check=True)
    assert ran.stdout.split() == []
