"""How a command says no: one clear block, and the exit code that goes with it."""

from __future__ import annotations

from flows.exit_codes import Exit


class Refusal(Exception):
    """A command will not, or can not, go on. Attributes: exit: the code the process ends with. advice: what to do."""

    def __init__(self, detail: str, exit_: Exit, advice: str = "") -> None:
        self.exit = exit_
        self.advice = advice
        super().__init__(f"{detail}\n  {advice}" if advice else detail)
