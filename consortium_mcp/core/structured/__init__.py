"""Agrees several members' JSON objects field by field, under a JSON Schema.

`schema` reads and checks the schema, `replies` reads a member's object and drops what breaks it,
`agreeing` agrees the objects, and `contested` says which fields are open. No value is made up:
whatever stands in the result stood in a member's object, or an arbiter wrote it. Begin with
`agreeing`.
"""
