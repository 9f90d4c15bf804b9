"""The built-in job hooks: each binds a job of the config to the factory that makes its component."""
