"""Runs wait in a queue, and any process of a team's server works on them.

It needs the extra `team`, and nothing of it is imported for one person's server. Begin with
`opening`; `worker` works, `sweeping` finds what dead workers left, `queueing` lets runs wait.
"""
