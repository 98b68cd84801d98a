"""How far an answer is to be trusted, and when another iteration no longer pays.

Only counting and arithmetic over responses; no model is asked. Begin with `agreement`, then
`scoring`.
"""
