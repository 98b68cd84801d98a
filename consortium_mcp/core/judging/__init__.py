"""Reaches a verdict on an iteration's responses, by an arbiter or by a count.

The strategies call these functions, which call `ask` only for an arbiter's judgement. Begin with
`voting`, then `arbitration`.
"""
