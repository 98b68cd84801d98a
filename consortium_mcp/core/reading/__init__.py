"""Parses what models write: final answers, stated confidences, arbiters' verdicts.

No decision uses a model's text before it was parsed here; what cannot be parsed is `None`.
Begin with `replies`, which reads a whole reply once; `verdicts` reads an arbiter's.
"""
