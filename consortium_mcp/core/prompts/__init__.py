"""What models are told. The texts themselves are in `templates/`.

Whatever a user or another model wrote goes in through `quoting`. Begin with `for_members`.
"""
