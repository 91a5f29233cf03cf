"""Sphinx's configuration, read in the folder where the build has put all pages together."""

project = "Waggle"
copyright = "the contributors to Waggle, Apache-2.0"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Waggle"
html_theme_options = {"sidebar_hide_name": False}
# Anchors as on GitHub, so that a link to a heading works in both places.
myst_heading_anchors = 4
# A deposit of $5 is no formula.
myst_disable_syntax = []
exclude_patterns = []
# Nothing comes from another host: the site works without a network.
html_show_sourcelink = False
