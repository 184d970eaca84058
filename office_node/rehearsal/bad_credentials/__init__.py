"""Every credential and token request that an office must refuse, and the good ones that it must not: auth-checks.md.

`forging` makes them, `adversary` sends them, `token_requests`, `assertions` and `tokens` say what they are and what is
expected, `catalogue` holds all, `trial` judges.
"""
