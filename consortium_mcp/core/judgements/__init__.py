"""What those who judge have written: an arbiter's verdict, a reviewer's ranking or check.

`verdicts` reads an arbiter's reply: `verdict_places` finds the verdict that counts, told from
`quotations`; `verdict_elements` and `verdict_json` read its two forms, `label_lists` its lists.
`reviews` reads a reviewer's. What members' replies say is in `core.reading`. Begin with `verdicts`.
"""
