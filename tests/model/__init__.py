"""The whole system against a model of it: random histories over HTTP, and after every step what the model says.

`ledger.py` and `content.py` are the model: dictionaries and lists. `*_rules.py` are what may happen, `*_looks.py` how
what is there is compared with what the model says.
"""
