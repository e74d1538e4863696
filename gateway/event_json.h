/*
 * event_json - looking into an event without parsing it
 *
 * Events are JSON that our own functions wrote; the gateway passes them on as
 * bytes.  These two find the elements of an array and one field of an object
 * by walking over strings and brackets; they build nothing.  What is not well
 * formed ends the walk.
 *
 * Pure.  Slices borrow the text.
 */
#ifndef CHEMCHAT_EVENT_JSON_H
#define CHEMCHAT_EVENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/*
 * The next element of the array that *rest stands in: at first the whole
 * array.  False at its end, with *is_bad telling whether it was one.
 */
bool event_json_next(Slice *rest, Slice *element, bool *is_bad);

/*
 * The value of a field of the object, quotes of a string taken off (escapes
 * stay); false when it is not there.
 */
bool event_json_field(Slice object, const char *name, Slice *value);

/* The same, as a whole number >= 0 below 2^53. */
bool event_json_number(Slice object, const char *name, uint64_t *value);

/* Is the field a string that equals text (which needs no escapes)? */
bool event_json_is(Slice object, const char *name, const char *text);

#endif
