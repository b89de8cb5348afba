"""The database room: revisions and their states, decisions, principals, targets, runs and the audit.

Here never lives what a workflow means (`workflow`), how one is made (`compiler`) or run (`runtime`). Importing this
package runs nothing and needs no database driver, so that the command line can name its errors cheaply.
"""
