"""A stand-in for Trinity-RFT and Ray: what they look like from outside, without a GPU and without either of them.

`python -m djsandbox_trinity.testing FOLDER` makes it and prints the options that let a config use it. `DJSANDBOX_STANDIN`
names a way to fail (see `FAILURES`), `DJSANDBOX_STANDIN_PACE` the seconds that a training step takes. They reach it through
`env_params: {variables: {...}}`.
"""

from djsandbox_trinity.testing.making import StandIn, make
from djsandbox_trinity.testing.settings import FAILURES

__all__ = ["FAILURES", "StandIn", "make"]
