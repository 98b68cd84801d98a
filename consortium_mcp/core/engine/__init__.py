"""The loop of a consultation: hear the members, reach a verdict, stop or go on.

It knows the world through `Ask` alone. Begin with `consultation`.
"""
