"""The use cases: consult, save, look back. Every front end goes through here.

This room connects core and adapters, and knows no front end. Runs in progress have the room `runs`.
Begin with `service`; `assembly` puts the parts together.
"""
