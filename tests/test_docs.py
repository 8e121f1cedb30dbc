"""The code in the documentation runs, and prints what it says there."""

import re
import shutil
from pathlib import Path

import hypothesis
import pytest

import nn

hypothesis.settings.register_profile("documentation", derandomize=True, deadline=None, database=None)

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCKS = [pytest.param(block, id=f"{page.name} {i}") for page in PAGES
          for i, block in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE))]


@pytest.fixture(autouse=True)
def rules_as_they_were():
    """What a block registers is forgotten, and hypothesis draws the same each time."""
    from autograd import registry
    from autograd.rules import more

    assert nn and more  # imported before the copy is made, because an import happens once
    before = dict(registry.RULES)
    profile = hypothesis.settings.get_current_profile_name()
    hypothesis.settings.load_profile("documentation")
    yield
    hypothesis.settings.load_profile(profile)
    registry.RULES.clear()
    registry.RULES.update(before)


@pytest.mark.parametrize("block", BLOCKS)
def test_block_runs_and_prints_what_its_comments_say(block, tmp_path, monkeypatch, capsys):
    if ".render(" in block and not shutil.which("dot"):
        pytest.skip("Graphviz's dot program is not installed")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "block", "exec"), {"__name__": "block"})
    printed = capsys.readouterr().out.splitlines()
    expected = re.findall(r"^print\(.*\)  # (.*)$", block, re.MULTILINE)
    assert printed[: len(expected)] == expected


def test_readme_shows_the_three_uses_and_two_commands():
    text = (ROOT / "README.md").read_text()
    assert text.count("```python") >= 3
    commands = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert [command.count("\n") for command in commands] == [1, 1]


def test_links_of_the_readme_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
