#!/bin/sh
# Have a panel review the change on this branch, and stop where its verdict is not sure enough.
#
#     sh review.sh [BASE]          the panel: the saved consortium `reviewers`
#
# Prints the findings as JSON. Exit code 0: a sure verdict, whatever it is; 3: not sure enough, so a
# person should look; 1: something failed.
set -eu
here=$(dirname "$0")
git diff "${1:-main}...HEAD" |
    llm consortium "Review this change. Report what is wrong with it, not what is good." \
        --consortium reviewers --schema "$here/findings.json" \
        --fail-under 0.8 --field /verdict
