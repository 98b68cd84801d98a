"""The small demo model that runs on this machine, with no key.

xllamacpp is imported only when the model is called. Begin with `members`: how it is asked.
"""
