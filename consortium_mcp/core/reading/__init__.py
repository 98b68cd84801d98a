"""Parses what models write: final answers, stated confidences, arbiters' verdicts.

No decision uses a model's text before it was parsed here; what cannot be parsed is `None`.
Begin with `markup`, which finds our tags outside code and thinking.
"""
