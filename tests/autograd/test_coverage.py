"""The coverage page has just the marks of the checks that the tests run, and every rule has some."""

import numpy as np

from autograd.registry import RULES, name_of
from tests.autograd.coverage import NAMESPACES, PAGE, declared, functions_of, page


def test_the_page_is_the_one_that_the_checks_give():
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(declared()), "run python -m tests.autograd.coverage"


def test_every_function_with_a_rule_has_a_case():
    found = {name_of(f) for f in declared()}
    without = [names for name, module in NAMESPACES for names, f in functions_of(name, module)
               if f in RULES and name_of(f) not in found]
    assert not without


def test_every_mark_of_a_mode_is_there():
    for f, checks in declared().items():
        assert {"value", "reverse", "forward"} <= checks, name_of(f)
    assert "second" in declared()[np.sin]
