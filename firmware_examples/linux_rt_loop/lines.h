/*
 * lines.h: numbers in lines of text, separated by blanks or commas. What is written reads back as the same
 * bits.
 */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES 4096U /* of a line, its end included */

/* 1 where the text holds exactly count numbers ("nan" and "inf" are numbers) and nothing else. */
uint32_t line_read(const char *text, float *values, uint32_t count);

/* The numbers and a line feed, without a zero after it; returns their length, at most LINE_BYTES. */
size_t line_write(char text[LINE_BYTES], const float *values, uint32_t count);

#endif
