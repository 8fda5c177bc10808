"""Configuration of Sphinx. `make docs` builds the documentation without a network; a warning is an error."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import generated  # noqa: E402
from sphinx_gallery.sorting import FileNameSortKey  # noqa: E402

from idt import __version__  # noqa: E402

project = "Improved dense trajectories"
release = version = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery", "_generated/gallery/sg_execution_times.rst", "sg_execution_times.rst"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
language = "en"

# Pages.
myst_heading_anchors = 4
myst_enable_extensions = ["deflist", "colon_fence", "dollarmath"]
# Code blocks of the method show formulas and listings of no language.
highlight_language = "none"
suppress_warnings = ["config.cache"]

# Docstrings: names in single backticks are those of Python objects.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# The gallery: every example runs when the documentation is built.
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "_generated/gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": FileNameSortKey,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "remove_config_comments": True,
    "reference_url": {},
    "min_reported_time": 1e9,
    "plot_gallery": os.environ.get("DOCS_GALLERY", "1") == "1",
}

# Theme.
html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["own.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "collapse_navigation": True,
    "navbar_align": "left",
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"start": [], "figures": [], "troubleshooting": [], "glossary": [], "changelog": []}
html_show_copyright = False


def setup(app):
    """Write the pages of the commands and of the API before Sphinx looks for pages."""
    app.connect("builder-inited", generated.write)
    app.connect("autodoc-skip-member", generated.is_skipped)
    # Before numpydoc, which has the priority 500.
    app.connect("autodoc-process-docstring", generated.as_text, priority=400)
