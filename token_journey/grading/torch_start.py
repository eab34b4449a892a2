"""Import torch without collecting garbage meanwhile, and without what it says of itself.

torch is half a million objects that live to the end. Python's collector would
walk through them again and again while they are made, and once more at the end
of a run, for nothing: that costs a tenth of grading one stage.
"""

import gc
import os

# Its profiler, which sees borrowed answers, would say on every use that it starts and stops.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

collecting = gc.isenabled()
gc.disable()
import torch  # noqa: E402, F401

if collecting:
    gc.enable()
gc.freeze()
gc.set_threshold(20_000)  # grading makes few cycles, and 700 new objects are soon made
