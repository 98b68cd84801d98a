"""Builds the prompts for members and arbiters from the texts in `templates/`.

Text that a user or another model wrote is inserted through `quoting`. Begin with `for_members`.
"""
