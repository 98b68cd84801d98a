"""From an iteration's responses to its verdict, by an arbiter or by a count.

The strategies call these; they call `ask` for nothing but an arbiter's judgement. Begin with
`voting`, then `arbitration`.
"""
