"""Reports, lists and errors as text for a reader; shared by every front end.

Only values of `core.domain` come in. Begin with `report`.
"""
