"""The loop of a consultation: ask the members, reach a verdict, stop or go on.

It reaches the outside world only through `Ask`. Begin with `consultation`.
"""
