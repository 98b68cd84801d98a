"""What a team's database holds besides the journal: who may spend what, and what they have.

Its SQL is PostgreSQL's, spelled with `?` for values. Begin with `ledger`. `shared_state` is what
one server has begun and another may go on with.
"""
