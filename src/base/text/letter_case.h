/* letter_case.h: capital and small letters of all scripts, one character for one, whatever the locale. */
#ifndef ONRI_LETTER_CASE_H
#define ONRI_LETTER_CASE_H

#include <stdint.h>

/* The other form of a character, or itself. */
uint32_t onri_lower(uint32_t character);
uint32_t onri_upper(uint32_t character);

#endif
