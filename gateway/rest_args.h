/*
 * rest_args - a REST request's arguments, as a frame would have them
 *
 * The body's fields, and over them what stands in the path, the query and the
 * headers, become one JSON object; verb_args checks it as it checks a frame.
 *
 * Pure.
 */
#ifndef CHEMCHAT_REST_ARGS_H
#define CHEMCHAT_REST_ARGS_H

#include <jansson.h>
#include <stdbool.h>

#include "http_request.h"
#include "problem.h"
#include "verb.h"

/* NULL: problem says why.  The caller owns the object. */
json_t *rest_args_read(const HttpRequest *request, const Verb *verb,
					   Problem *problem);

/* The name that a client knows an argument by: of a header, or the field. */
const char *rest_args_name(const Verb *verb, const char *field);

#endif
