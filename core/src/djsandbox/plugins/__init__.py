"""Plugins: what is installed, how one class of it is loaded, and how plugins observe and change a run.

`index` reads entry points and imports nothing; `resolve` turns the `type` of a job into a class; `manager` speaks to pluggy.
"""
