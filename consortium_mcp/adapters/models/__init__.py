"""llm's models: which exist, whether they are ready, and what a failed call of one means.

How one is called is in `adapters.calls`. Begin with `registry`.
"""
