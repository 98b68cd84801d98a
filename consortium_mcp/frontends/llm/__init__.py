"""llm's plugin: `llm consortium` and saved consortiums as `llm -m NAME`.

Every `llm` command imports `plugin` and `commands`, so these two import next to nothing. Begin with
`commands`.
"""
