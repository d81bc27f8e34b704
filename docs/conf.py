"""Sphinx configuration; the command and settings references are made from the program itself at each build."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from reference_pages import write_commands, write_settings  # noqa: E402 - after the path is set

project = "fivefold"
author = "The fivefold authors"
copyright = "2026, the fivefold authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "fivefold"
html_static_path = ["_static"]
html_css_files = ["pictures.css"]
templates_path = []
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Types of torch, numpy and pydantic are not linked: that needs their inventories, and so the network, at each build.
nitpicky = False
suppress_warnings = ["autodoc.mocked_object", "ref.python"]


def setup(app):
    """Write the generated pages before Sphinx looks for sources."""
    generated = HERE / "reference" / "generated"
    generated.mkdir(parents=True, exist_ok=True)
    write_commands(generated / "commands.md", run_help)
    write_settings(generated / "settings.md")
    return {"parallel_read_safe": True}


def run_help(*words: str) -> str:
    """The help text that ``fivefold *words --help`` prints, without colours, 100 columns wide."""
    environment = {
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "PATH": str(Path(sys.executable).parent),
    }
    done = subprocess.run(
        [sys.executable, "-m", "fivefold", *words, "--help"],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    return done.stdout
