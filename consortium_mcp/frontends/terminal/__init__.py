"""What a person sees in a terminal, for both command lines; what is piped stays plain.

Only `watching` and `completion` may be imported at any time: the others import rich, and are
imported only where a person looks. Begin with `watching`.
"""
