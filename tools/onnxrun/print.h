/* print.h: text made fit for a terminal. */
#ifndef TOOL_PRINT_H
#define TOOL_PRINT_H

#include "tool.h"

/* Bytes of the well-formed UTF-8 character that text starts with, 0 when it is none; *code: the character. */
size_t utf8_decode(const char *text, size_t length, uint32_t *code);
/* Returns the bytes, at most 4. */
size_t utf8_encode(uint32_t code, char target[4]);
void print_escaped(FILE *file, const char *text, size_t length);

/* What begins a colour and what ends it; "" where the stream is no terminal, or NO_COLOR or TERM=dumb forbids it. */
enum colour { RED = 31, GREEN = 32, YELLOW = 33 };
struct shown colour(FILE *file, enum colour colour);
const char *no_colour(FILE *file);
/* Text in words, from a column that the cursor is in already; further lines begin there, too. A line feed, at the end.
 */
void print_wrapped(FILE *file, const char *text, int column);

#endif
