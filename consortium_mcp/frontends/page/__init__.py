"""The page of a run: its data, and the one HTML file that shows them.

The page itself, `run.html`, is built from the sources under `web/`; installing needs no Node.

Begin with `page_data`, which makes a `RunPage` of a recorded run; `files` puts one into the page.
"""
