/* What a program that times a model is told: words of its command line, and files. */
#ifndef WORDS_H
#define WORDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words of the command line, one after the other. */
static char **turn_words;

static const char *turn_word(void)
{
    if (*turn_words == NULL) {
        (void)fputs("a word is missing on the command line\n", stderr);
        exit(2);
    }
    return *turn_words++;
}

/* The first bytes of a file; "-" is zeros. */
static void turn_read(const char *path, void *into, size_t bytes)
{
    FILE *file = NULL;
    memset(into, 0, bytes);
    if (strcmp(path, "-") == 0) {
        return;
    }
    file = fopen(path, "rb");
    if (file == NULL || fread(into, 1U, bytes, file) != bytes) {
        (void)fprintf(stderr, "%s: has not %zu bytes\n", path, bytes);
        exit(2);
    }
    (void)fclose(file);
}

#endif
