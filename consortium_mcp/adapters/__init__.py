"""Everything outside: models, the journal, clients' settings, the local model, the environment.

Each module handles one outside thing, and knows nothing of the services above. Begin with `models`
and `journal`.
"""
