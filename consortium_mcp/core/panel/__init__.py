"""Turns what people write (`gpt-4o:2`) into the members of a run.

It works on names only and never loads a model. Begin with `member_syntax`.
"""
