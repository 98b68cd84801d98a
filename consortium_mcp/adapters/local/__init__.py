"""The small demo model that runs on this machine, with no key.

xllamacpp is imported only when it is called. Begin with `members`, which says how it is asked.
"""
