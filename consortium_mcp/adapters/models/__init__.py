"""llm's models: which there are, how one is called, what a failed call means.

All that is imported from llm to call a model is imported here. Begin with `calls`.
"""
