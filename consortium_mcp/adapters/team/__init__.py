"""What the servers of one team share in their database, besides the journal.

Begin with `shared_state`.
"""
