"""What a model's text says: its final answer, its stated confidence, an arbiter's verdict.

Every word that a model wrote passes through here before anything is decided on it; what cannot be
read is `None`. Begin with `markup`, which finds our tags outside code and thinking.
"""
