"""The language: Arazzo documents, expressions, static checks, the interpreter. Pure; imports no other room of ours."""
