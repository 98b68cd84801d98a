"""Reaches out: models, the journal, clients' settings, the local model, the environment.

Each file knows one outside thing, and nothing of the services above. Begin with `models` and
`journal`.
"""
