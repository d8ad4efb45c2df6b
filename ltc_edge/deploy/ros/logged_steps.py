"""A node's step log, which may end while the node goes on."""

from __future__ import annotations

from pathlib import Path

from ltc_edge.deploy.ros.opened import Subject
from ltc_edge.deploy.step_log.facts import make_facts
from ltc_edge.deploy.step_log.logged import LoggedController
from ltc_edge.deploy.step_log.writing import StepLogWriter
from ltc_edge.errors import OutputError
from ltc_edge.supervision.compiled import SupervisedController
from ltc_edge.supervision.supervisor import Input, Output


class LoggedSteps:
    """Steps a supervised controller and logs each step, as long as the log can be written.

    Args:
        subject: what is stepped.
        supervised: compiled.
        path: the log, a new MCAP file.
        period_s: usual dt of the steps.

    Raises:
        OutputError: there is such a file, or it cannot be written.
        MissingExtraError: mcap is not installed.
    """

    def __init__(
        self, subject: Subject, supervised: SupervisedController, path: Path, period_s: float
    ) -> None:
        c_name = subject.bundle.choose([subject.form])[subject.form].c_sources().name
        facts = make_facts(subject.bundle, subject.form, period_s, subject.settings)
        self._log = StepLogWriter(path, facts, subject.settings, c_name)
        self._supervised = supervised
        self._logged = LoggedController(supervised, self._log)
        self._last: Output | None = None
        self._error: OutputError | None = None

    def step(self, given: Input) -> Output:
        """One period. Where the log ends, the last action stands once more; then all goes on."""
        if self._error is None:
            try:
                self._last = self._logged.step(given)
                return self._last
            except OutputError as error:
                self._error = error
                if self._last is not None:
                    return self._last
        return self._supervised.step(given)

    def close(self) -> None:
        """End the log.

        Raises:
            OutputError: it is not whole.
        """
        self._log.close()
        if self._error is not None:
            raise self._error
