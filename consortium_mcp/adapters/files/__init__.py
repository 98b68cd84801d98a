"""The user's files, as far as the user has opened them. Begin with `folders`.

`folders` says which files may be read at all; `attachments` reads what is attached to a question,
`texts` what is written in it (of a PDF in a process of its own, `pdf_text`); `toolbox` lets members
look into the folders themselves.
"""
