"""The class of a cluster that is to be started: whether it is there, and takes what it is given."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import TYPE_CHECKING

import distributed

from sweeplib.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sweeplib.jobs import ClusterSpec

__all__ = ["hold_class", "refused"]

_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def hold_class(spec: ClusterSpec) -> None:
    """Raise `InputError` unless the class is there and, as far as can be known, takes the arguments."""
    class_ = _import(spec.class_)
    known = _known(class_, spec)
    for name in spec.arguments:
        if known is not None and name not in known:
            raise _unknown(spec, name, known)


def refused(spec: ClusterSpec, error: BaseException) -> InputError | None:
    """Return what to say where a cluster has not started because of an argument that nothing takes."""
    for each in _causes(error):
        found = _UNEXPECTED.search(str(each)) if isinstance(each, TypeError) else None
        if found is not None and found[1] in spec.arguments:
            return _unknown(spec, found[1], _names([_import(spec.class_)]))
    return None


def _unknown(spec: ClusterSpec, name: str, known: Iterable[str]) -> InputError:
    return InputError(f"{spec.class_} takes no argument {name!r}{nearest(name, known) or '; take it out'}")


def _import(path: str) -> Callable[..., object]:
    module_name, _, name = path.rpartition(".")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        text = f"there is no module {error.name!r}, for the class {path}; install it, or check the name"
        raise InputError(text) from error
    except Exception as error:
        text = f"the module {module_name} of the class {path} cannot be imported: {error!r}"
        raise InputError(text) from error
    found = getattr(module, name, None)
    if not callable(found):
        close = (
            nearest(name, [each for each in dir(module) if callable(getattr(module, each))])
            or "; check the name"
        )
        raise InputError(f"there is no class {name!r} in {module_name}{close}")
    return found  # type: ignore[no-any-return]  # it is callable


def _known(class_: Callable[..., object], spec: ClusterSpec) -> set[str] | None:
    """Return the arguments that there are, None where others may be taken as well."""
    try:
        parameters = inspect.signature(class_).parameters.values()
    except (TypeError, ValueError):
        return None
    if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in parameters):
        return {each.name for each in parameters if each.kind in _NAMED}
    if class_ is distributed.LocalCluster and "worker_class" not in spec.arguments:
        return _names([class_, distributed.Nanny, distributed.Worker])  # which get what it does not know
    return None


def _names(classes: Iterable[Callable[..., object]]) -> set[str]:
    """Return the arguments that classes name, and those that they are made of do."""
    found: set[str] = set()
    for each in classes:
        makers = (
            [vars(one).get("__init__") for one in inspect.getmro(each)] if inspect.isclass(each) else [each]
        )
        for maker in filter(None, makers):
            parameters = inspect.signature(maker).parameters.values()
            found |= {one.name for one in parameters if one.kind in _NAMED}
    return found - {"self"}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
