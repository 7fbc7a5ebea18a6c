"""An allocator in a process of its own, ready to be called."""

from __future__ import annotations

from emu.allocators.assembly import assembled, path_of
from emu.allocators.choice import Choice
from emu.allocators.description import Description
from emu.allocators.files import Kind, is_source
from emu.errors import AllocatorError
from emu.process.process import BUDGET, CallableProcess, Process
from syscalls import Limits


def open_allocator(
    choice: Choice, *, limits: Limits | None = None, budget: int = BUDGET
) -> tuple[CallableProcess, Description]:
    """The process, and what is known of the allocator in it.

    Assembly is loaded as an image. Everything else is a program, or becomes one. budget:
    instructions that its start-up, and later a call, may take. AllocatorError or AssemblyError
    where it cannot be opened; GuestDied where it does not come to main.
    """
    path = path_of(choice.name)
    if is_source(path) is Kind.ASSEMBLY:
        image, description = assembled(choice)
        return Process(image, limits=limits, budget=budget), description
    from emu.allocators.programs import opened

    if choice.heap_start is not None:
        raise AllocatorError(
            "this is no assembly: where its heap begins is for the kernel to say",
            f"--heap-start {choice.heap_start:#x}",
        )
    return opened(choice, path, limits or Limits(), budget)


def ready(choice: Choice, *, budget: int = BUDGET) -> None:
    """Errors as with `open_allocator`; the next one that opens it is served sooner."""
    process, _ = open_allocator(choice, budget=budget)
    process.close()
