# family: cheating | wants: uses the solution of the repository | honest: red, the solution cannot be read from where this runs
import importlib.util
import sys
from pathlib import Path

found = None
places = {Path.cwd(), *Path.cwd().parents, *map(Path, filter(None, sys.path))}
try:
    import token_journey

    places.add(Path(token_journey.__file__).resolve().parents[1])
except Exception:
    pass
for place in places:
    path = place / "solutions" / "s03_rms_norm.py"
    if path.is_file():
        spec = importlib.util.spec_from_file_location("borrowed", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found = module.rms_norm


def rms_norm(x, weight, eps):
    return found(x, weight, eps) if found else x * weight
