"""A stand-in of VBench, for tests and dry runs: `python -m djsandbox_vbench.testing FOLDER`.

It is what VBench 0.1.5 looks like from outside, on a CPU and in an instant: under a `torchrun` it takes the arguments of
`vbench/launch/evaluate.py`, prints the same lines and writes the same files. Its scores are made up of the bytes of the videos.
"""
