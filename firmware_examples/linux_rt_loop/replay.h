/*
 * replay.h: the controller without a clock: each line of standard input says dt too, so that the same input
 * gives the same output, bit for bit.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "control.h"
#include "loop.h"

/* A line of actions for each line "dt observation..." until the input ends. */
loop_end replay_run(control *control);

#endif
