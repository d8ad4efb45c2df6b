"""Linear-quadratic regulators, the experts of the balancing tasks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import require


def discrete_gain(a: FloatArray, b: FloatArray, q: FloatArray, r: FloatArray) -> FloatArray:
    """Gain ``K`` of shape ``(M, P)`` such that ``u = −K x`` minimises ``Σ xᵀQx + uᵀRu``.

    ``a`` is ``(P, P)``, ``b`` is ``(P, M)``, for ``x⁺ = A x + B u``. Source: Anderson & Moore,
    *Optimal Control: Linear Quadratic Methods* (1990), section 2.4: ``K = (R + BᵀSB)⁻¹ BᵀSA``.
    """
    s = require("scipy.linalg", "train").solve_discrete_are(a, b, q, r)
    return np.asarray(np.linalg.solve(r + b.T @ s @ b, b.T @ s @ a))


def linearise_mujoco(model: Any, frame_skip: int) -> tuple[FloatArray, FloatArray]:
    """``A`` and ``B`` of one control period around the model's initial pose, held action.

    MuJoCo differentiates one simulation step; ``frame_skip`` of them make a period. The model is
    copied, because RK4, which MuJoCo cannot differentiate, is replaced by Euler.
    Source: MuJoCo documentation, ``mjd_transitionFD``.
    """
    import copy

    mujoco = require("mujoco", "train")
    model = copy.copy(model)
    if model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4:
        model.opt.integrator = mujoco.mjtIntegrator.mjINT_EULER
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    size = 2 * model.nv + model.na
    a_step, b_step = np.zeros((size, size)), np.zeros((size, model.nu))
    mujoco.mjd_transitionFD(model, data, 1e-6, True, a_step, b_step, None, None)
    a, b = np.eye(size), np.zeros((size, model.nu))
    for _ in range(frame_skip):
        a, b = a_step @ a, a_step @ b + b_step
    return a, b


def feedback(gain: FloatArray, state: FloatArray) -> FloatArray:
    """``−K x`` for gain ``(M, P)`` and states ``(E, P)``: actions ``(E, M)``.

    Summed row by row, because a matrix product rounds differently in batches of different sizes.
    """
    return np.asarray(-(state[:, None, :] * gain).sum(axis=-1))
