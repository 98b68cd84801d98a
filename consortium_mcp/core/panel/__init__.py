"""From what people write (`gpt-4o:2`) to the members of a run.

No model is looked up here, only names. Begin with `member_syntax`.
"""
