"""`make mutation`: is a change of the rules in chalicelib/domain noticed by a test? (docs/mutation.md)"""
