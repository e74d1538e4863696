/*
 * verb_args - a verb's arguments, checked
 *
 * From the JSON object of a frame, or of a REST request whose path, query and
 * headers were written into one (rest_args.h): the same checks, codes and
 * fields at both doors.  What the verb does not name is ignored; null is as
 * absent.  Whether the values make sense together is the database's to say.
 *
 * Pure.  Texts borrow from the JSON; ids belong to the values.
 */
#ifndef CHEMCHAT_VERB_ARGS_H
#define CHEMCHAT_VERB_ARGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "uuid.h"
#include "verb.h"

typedef struct VerbValue
{
	bool is_set;
	Uuid uuid;
	int64_t number; /* of a time: microseconds since 1970 */
	bool truth;
	const char *text; /* with a NUL behind it */
	size_t len;
	Uuid *ids;
	int count;
} VerbValue;

typedef struct VerbValues
{
	VerbValue value[VERB_ARGS_MAX];
} VerbValues;

typedef struct VerbRefusal
{
	const char *code;
	const char *field;
} VerbRefusal;

/* False: refusal says why.  Either way verb_values_fini ends them. */
bool verb_values_init(VerbValues *values, const Verb *verb,
					  const json_t *object, VerbRefusal *refusal) MUST_CHECK;
void verb_values_fini(VerbValues *values);

/* NULL when the verb has no such argument. */
const VerbValue *verb_value(const Verb *verb, const VerbValues *values,
							const char *name);

/* RFC 3339 with any offset; a fraction beyond microseconds is cut off. */
bool verb_parse_time(const char *text, size_t len, int64_t *wall_us);

/*
 * W3C Trace Context, version 00: 2-32-16-2 lower-case hexadecimal digits, the
 * two ids in the middle not zero.
 */
bool verb_is_traceparent(const char *text, size_t len);

#endif
