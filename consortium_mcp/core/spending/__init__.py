"""What a run may spend: calls, tokens and money. Begin with `budget`.

`budget` counts each call and refuses what does not fit, with `costs` for the money; `estimate` says
beforehand what a run would take, with `cost_range` for the money. `limits` are what somebody may
spend, and `allotting` says how much of that a run gets.
"""
