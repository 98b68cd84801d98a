"""The use cases: consult, save, look back. Every front end goes through here.

It brings core and adapters together and knows no front end; runs on their way have the room `runs`.
Begin with `service`; `assembly` puts the parts together.
"""
