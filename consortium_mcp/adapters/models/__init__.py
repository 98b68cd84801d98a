"""llm's models: which exist, how one is called, what a failed call means.

Whatever is needed from llm to call a model is imported here. Begin with `calls`.
"""
