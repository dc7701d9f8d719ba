"""girlib: guided image restoration, from the guided filter to cross-attention.

Names are loaded on first use, so that `import girlib` costs little and asks for nothing but the standard library.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "GirlibError": "errors",
    "guided_filter": "filters",
    "GuidedFilter": "filters",
    "neighborhood_attention_2d": "attention",
    "Capture": "samples",
    "Sample": "samples",
    "create_model": "networks",
    "load_model": "networks",
    "list_models": "networks",
    "predict": "networks",
    "make_scene": "scenes",
    "open_dataset": "datasets",
    "list_datasets": "datasets",
    "get_task": "tasks",
    "list_tasks": "tasks",
    "evaluate": "evaluation",
    "table": "tables",
    "list_tables": "tables",
    "restore": "restoration",
    "restore_files": "restoration_files",
}
__all__ = ["__version__", *_HOME]


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(f"girlib.{_HOME[name]}"), name)
    raise AttributeError(f"module 'girlib' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_HOME])
