"""Format reports, lists and errors as text; shared by every front end.

The input is always types of `core.domain`. Begin with `report`.
"""
