#include "replay.h"

#include <stdio.h>
#include <string.h>

#include "lines.h"

/* Read a line without its end; 1 where it is whole, 0 where it is too long, -1 at the end of the input. */
static int next_line(char text[LINE_BYTES])
{
    if (fgets(text, (int)LINE_BYTES, stdin) == NULL) {
        return -1;
    }
    const size_t length = strlen(text);
    if ((length > 0U) && (text[length - 1U] == '\n')) {
        text[length - 1U] = '\0';
        return 1;
    }
    int whole = 1;
    for (int c = getchar(); (c != '\n') && (c != EOF); c = getchar()) {
        whole = 0;
    }
    return whole;
}

loop_end replay_run(control *control)
{
    static char text[LINE_BYTES];
    float given[1U + CONTROLLER_OBSERVATIONS];
    float action[CONTROLLER_ACTIONS];
    for (int whole = next_line(text); whole >= 0; whole = next_line(text)) {
        uint32_t status = 0U;
        if ((whole == 0) || (line_read(text, given, 1U + CONTROLLER_OBSERVATIONS) == 0U)) {
            control_fall_back(control, &control->counts.bad_lines, action);
        } else {
            status = control_step(control, &given[1], given[0], action);
        }
        const size_t size = line_write(text, action, CONTROLLER_ACTIONS);
        if (fwrite(text, 1U, size, stdout) != size) {
            return LOOP_ACTUATORS_ENDED;
        }
        if (control_is_lost(status) != 0U) {
            return LOOP_CONTROLLER_LOST;
        }
    }
    return (fflush(stdout) == 0) ? LOOP_SENSORS_ENDED : LOOP_ACTUATORS_ENDED;
}
