"""A profile's bench, in each round of which other programs have their turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ltc_edge.errors import CheckFailedError
from ltc_edge.profiling.agent_link import AgentLink
from ltc_edge.profiling.inputs import Inputs
from ltc_edge.profiling.jobs import Job
from ltc_edge.profiling.linux import Bench, connect
from ltc_edge.profiling.places import Local
from ltc_edge.profiling.runner import Runner
from ltc_edge.profiling.settings import Settings
from profile_bench.turns import Turns

SINGLES = 1000
Round = tuple[dict[str, Any], dict[str, tuple[float, float]]]
"""Our figures, and of each of theirs a step in batches and a single one, in microseconds."""


class InTurns(Bench):
    """A bench that lets other programs have their turns in each round.

    Args:
        link, jobs, inputs: as for a profile.
        theirs: the other programs, by format and by what they are.
        rounds: how many.

    Attributes:
        found: the rounds of each format.
    """

    def __init__(
        self,
        link: AgentLink,
        jobs: Sequence[Job],
        inputs: Inputs | None,
        theirs: Mapping[str, Mapping[str, Turns]],
        rounds: int,
    ) -> None:
        settings = Settings(rounds=rounds, iterations=SINGLES * rounds, seconds=60.0)
        super().__init__(link, jobs, inputs, settings, lambda *_: None)
        self._theirs = theirs
        self.found: dict[str, list[Round]] = {job.name: [] for job in jobs}

    def _take_turns(self) -> None:
        for _ in range(self._settings.rounds):
            for runner in self._runners.values():
                self._one_round(runner)

    def _time(self, runner: Runner) -> None:
        """All that a profile times of a format in a round."""
        for part in (self._time_singles, self._time_batches, self._time_invokes):
            part(runner)

    def _one_round(self, runner: Runner) -> None:
        name = runner.job.name
        whole, found = self._samples[name], self.found[name]
        fresh = self._samples[name] = type(whole)()
        fresh.batch_steps, fresh.batches_wanted = whole.batch_steps, whole.batches_wanted
        fresh.clock_us = whole.clock_us
        ours_first = len(found) % 2 == 1
        if ours_first:
            self._time(runner)
        theirs = {
            what: (turns.batch_us(fresh.batch_steps), turns.single_us(SINGLES))
            for what, turns in self._theirs[name].items()
        }
        if not ours_first:
            self._time(runner)
        found.append((fresh.figures(), theirs))

    def _finish(self, runner: Runner) -> None:
        """What a profile measures besides is not asked for here."""
        runner.stop()


def in_turns(
    jobs: Sequence[Job], inputs: Inputs | None, theirs: Mapping[str, Mapping[str, Turns]], rounds: int
) -> dict[str, list[Round]]:
    """The rounds of jobs and other programs on this machine.

    Raises:
        CheckFailedError: a job could not be timed.
    """
    with AgentLink(Local()) as link:
        bench = InTurns(link, jobs, inputs, theirs, rounds)
        bench.run(connect(link, []))
    for name, row in bench.rows.items():
        if row["status"] != "ok":
            raise CheckFailedError(f"{name}: {row['detail']}")
    return bench.found
