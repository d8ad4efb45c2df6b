"""Fine-tuning of a pruned controller: what is left learns to do what all of it did."""

from __future__ import annotations

from collections.abc import Callable

from ltc_edge.controller import Controller
from ltc_edge.errors import require
from ltc_edge.evaluation.inspection.pruning import Tune
from ltc_edge.logs import Dataset
from ltc_edge.tasks.protocol import Task


def relearner(trained: Controller, subject: Task | Dataset, seed: int) -> Tune:
    """Fine-tunes pruned controllers after ``trained`` on its task or its recordings.

    Practice and judgement are those of ``ltc-edge export --finetune``: no expert and no labels, and
    episodes that neither search nor verification plays.

    Raises:
        MissingExtraError: torch is not installed.
    """
    torch = require("torch", "train")
    from ltc_edge.bundle.lessons import make_lessons
    from ltc_edge.training.finetuning import FinetuneOptions, Judge, finetune_phase
    from ltc_edge.training.practice import Teacher

    # Short: a share of the synapses is missing, and the others know nearly all of it.
    options = FinetuneOptions(rounds=8, judged=3, updates=150, batch=96)
    threads = torch.get_num_threads()
    teacher = Teacher(trained)
    lessons = make_lessons(teacher, subject, None)
    task = None if isinstance(subject, Dataset) else subject
    judge = Judge(teacher, lessons.held_out, task)

    def tune(student: Controller, on_share: Callable[[float], None]) -> Controller:
        torch.set_num_threads(1)  # tensors this small need one, and the same number gives the same bits
        try:
            tuned = finetune_phase(
                "solver", student, teacher, lessons.practice, judge, task, seed, on_share, options
            )
        finally:
            torch.set_num_threads(threads)
        return tuned.controller

    return tune
