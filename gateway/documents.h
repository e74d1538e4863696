/*
 * documents - what describes us: OpenAPI, AsyncAPI, the schemas
 *
 * Part of the program, so what it serves is of the version it is.  Pure.
 */
#ifndef CHEMCHAT_DOCUMENTS_H
#define CHEMCHAT_DOCUMENTS_H

#include <stddef.h>

#include "slice.h"

typedef struct Document
{
	const char *path; /* "/openapi.yaml" */
	const char *type;
	const char *text;
	size_t len;
} Document;

/* NULL when there is none of that path. */
const Document *document_find(Slice path);

#endif
