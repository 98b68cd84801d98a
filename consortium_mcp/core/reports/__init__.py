"""What a consultation came to, as every front end tells it.

Begin with `report`; `reporting` makes one of a run.
"""
