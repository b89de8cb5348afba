"""What a command found, in the forms that CI systems read: SARIF for code scanning, JUnit for lists of tests.

`cases` says what there is to tell, `places` where in which file, the other two write it. Called by the commands
`compile`, `lint` and `diff`; nothing here judges, and no exit code comes from here.
"""
