#define _FILE_OFFSET_BITS 64
#include "step_log_files.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".mcap"
#define HIGHEST 999999999U

/* The length of a path without its .mcap. */
static size_t stem_length(const char *path)
{
    const size_t length = strlen(path);
    const size_t suffix = strlen(SUFFIX);
    const uint32_t has = (length > suffix) && (strcmp(path + length - suffix, SUFFIX) == 0);
    return (has != 0U) ? (length - suffix) : length;
}

static int name(const step_log_files *files, uint32_t number, char path[PATH_MAX])
{
    const int stem = (int)stem_length(files->path);
    const int length = (files->numbered == 0U)
                           ? snprintf(path, PATH_MAX, "%s", files->path)
                           : snprintf(path, PATH_MAX, "%.*s-%04u" SUFFIX, stem, files->path, number);
    return ((length > 0) && (length < PATH_MAX)) ? 0 : ENAMETOOLONG;
}

/* The number of STEM-NUMBER.mcap; 0 where a name is not one. */
static uint32_t number_of(const char *found, const char *stem, size_t length)
{
    char *end = NULL;
    if ((strncmp(found, stem, length) != 0) || (found[length] != '-') || (found[length + 1U] < '0') ||
        (found[length + 1U] > '9')) {
        return 0U;
    }
    const unsigned long number = strtoul(found + length + 1U, &end, 10);
    return ((strcmp(end, SUFFIX) == 0) && (number <= HIGHEST)) ? (uint32_t)number : 0U;
}

int step_log_files_begin(step_log_files *files, const char *path, uint32_t numbered, uint32_t keep)
{
    char folder[PATH_MAX];
    char file[PATH_MAX];
    memset(files, 0, sizeof(*files));
    files->path = path;
    files->numbered = numbered;
    files->keep = keep;
    if (strlen(path) >= PATH_MAX) {
        return ENAMETOOLONG;
    }
    if (numbered == 0U) {
        return 0;
    }
    strcpy(folder, path);
    strcpy(file, path);
    const char *const stem = basename(file);
    DIR *const listing = opendir(dirname(folder));
    if (listing == NULL) {
        return errno;
    }
    for (struct dirent *one = readdir(listing); one != NULL; one = readdir(listing)) {
        const uint32_t number = number_of(one->d_name, stem, stem_length(stem));
        files->number = (number > files->number) ? number : files->number;
        files->oldest = ((number != 0U) && ((files->oldest == 0U) || (number < files->oldest))) ? number
                                                                                                 : files->oldest;
    }
    (void)closedir(listing);
    return 0;
}

int step_log_files_next(step_log_files *files)
{
    char old[PATH_MAX];
    ++files->number;
    files->oldest = (files->oldest == 0U) ? files->number : files->oldest;
    while ((files->keep != 0U) && ((files->number - files->oldest) >= files->keep)) {
        if (name(files, files->oldest, old) == 0) {
            (void)unlink(old); /* another time, if it cannot be now */
        }
        ++files->oldest;
    }
    return name(files, files->number, files->present);
}
