"""Sphinx's configuration, read in the folder where the build has put all pages together."""

project = "Waggle"
copyright = "the contributors to Waggle, Apache-2.0"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Waggle"
html_theme_options = {"sidebar_hide_name": False}
# Anchors as on GitHub, so that a link to a heading works in both places.
myst_heading_anchors = 4
# Examples of HTML leave parts out with "…"; what has to parse is parsed by tests/website.
suppress_warnings = ["misc.highlighting_failure"]
# Nothing comes from another host: the site works without a network.
html_show_sourcelink = False
