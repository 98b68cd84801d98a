"""How far to trust an answer, and when another iteration is not worth its cost.

This is counting and arithmetic over responses; no model is asked. Begin with `agreement`, then
`scoring`.
"""
