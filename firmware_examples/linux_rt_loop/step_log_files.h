/*
 * step_log_files.h: the names of a log's files: one, or NAME-0001.mcap, NAME-0002.mcap and so on, of which
 * the newest are kept.
 */
#ifndef STEP_LOG_FILES_H
#define STEP_LOG_FILES_H

#include <limits.h>
#include <stdint.h>

typedef struct {
    const char *path;  /* NAME.mcap, as it was given */
    uint32_t numbered; /* 0: there is one file, and this is its name */
    uint32_t keep;     /* 0: all */
    uint32_t number;   /* of the present file */
    uint32_t oldest;   /* the lowest number that may be there */
    char present[PATH_MAX];
} step_log_files;

/* Find what numbers there are already. 0 or an errno. */
int step_log_files_begin(step_log_files *files, const char *path, uint32_t numbered, uint32_t keep);

/* Go on to the next file, whose name is then in present, and delete those that are too many. */
int step_log_files_next(step_log_files *files);

#endif
