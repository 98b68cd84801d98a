"""The llm plugin: the command `llm consortium`, and saved consortiums as `llm -m NAME`.

Every `llm` command imports `plugin` and `commands`, so these two import almost nothing. Begin with
`commands`.
"""
