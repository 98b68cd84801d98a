"""What members' replies say: final answers, stated confidences, prose without thinking or tags.

No decision uses a model's text before it was parsed; what cannot be parsed is `None`. What judges
write is read in `core.judgements`. Begin with `replies`, which reads a whole reply once.
"""
