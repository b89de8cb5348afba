"""Risk: which class an operation has, by all that its description says of it (`judging`).

`lexicon` holds the words with their reasons and `phrases` what whole sentences say; both are data. `clauses` finds the
words that act in a text or a name, `values` the orders in bodies, queries and addresses, and `safe_methods` what a GET
does. Nothing here knows a vendor.
"""
