/*
 * verb - what a client can ask for: one table, both doors
 *
 * Each verb is one row: its WebSocket type, its REST method and path, what it
 * takes, what it may cost (scope), and the function of the database that does
 * it.  command.c and rest.c both run it; `chemchat-gateway --print-verbs` prints
 * it, and a test compares that with docs/openapi.yaml and docs/asyncapi.yaml.
 *
 * Arguments are bound to the statement's parameters in their order, from $2
 * on; $1 is the actor.  An answer's JSON is made from the statement's columns,
 * NULL ones left out.
 *
 * Pure: constants and searches.
 */
#ifndef CHEMCHAT_VERB_H
#define CHEMCHAT_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "auth.h"
#include "buf.h"
#include "slice.h"

#define VERB_ARGS_MAX     7
#define VERB_COLUMNS_MAX  18
#define VERB_SEGMENTS_MAX 8

/* Who does it. */
typedef enum VerbHandler
{
	VERB_SQL, /* the verb's statement */
	VERB_SEND,
	VERB_MARK,
	VERB_HELLO,
	VERB_PING,
	VERB_BYE,
	VERB_EVENTS, /* the long poll */
	VERB_LIMITS,
	VERB_DOCUMENT,
	VERB_SIGN_IN, /* gateway/accounts */
	VERB_REFRESH,
	VERB_SIGN_OUT,
	VERB_PASSWORD,
	VERB_HANDLERS
} VerbHandler;

typedef enum VerbKind
{
	VERB_NONE, /* ends a list */
	VERB_UUID,
	VERB_TEXT,
	VERB_INT,
	VERB_BOOL,
	VERB_TIME,  /* RFC 3339 */
	VERB_UUIDS, /* an array; in a query separated by commas */
	VERB_JSON   /* of columns only */
} VerbKind;

/* Where a REST request has it; a frame has everything in its fields. */
typedef enum VerbPlace
{
	VERB_BODY,
	VERB_PATH,
	VERB_QUERY,
	VERB_KEY,   /* header Idempotency-Key */
	VERB_MATCH, /* body, or header If-Match */
	VERB_FRAME  /* not in REST */
} VerbPlace;

typedef struct VerbArg
{
	const char *name;
	VerbKind kind;
	VerbPlace place;
	bool is_required;
	int64_t min; /* of an int; bytes of a text; items of an array */
	int64_t max;
	int64_t fallback; /* of an int that is absent; VERB_ABSENT: NULL */
} VerbArg;

#define VERB_ABSENT (-1)

typedef struct VerbColumn
{
	const char *name; /* of the JSON field */
	VerbKind kind;
} VerbColumn;

typedef enum VerbShape
{
	VERB_ROW,  /* one row: its columns are the answer's fields */
	VERB_ROWS, /* an object per row, in the array `list` */
	VERB_EVENTS_LIST, /* first column int, second json: 0 into `list`, 1 into `list2` */
} VerbShape;

typedef enum VerbFlag
{
	VERB_WRITES = 1,
	VERB_POSITIONED = 2, /* the first three columns are the server's position */
	VERB_TAGGED = 4,     /* REST: has an ETag */
	VERB_CREATES = 8,    /* REST: 201, 200 when isDuplicate */
	VERB_JOINS = 16,     /* the actor may be in a conversation more */
	VERB_PUBLIC = 32,    /* needs no token */
	VERB_EARLY = 64      /* a frame that may come before `welcome` */
} VerbFlag;

/*
 * A column named VERB_NEXT is no field: the last row's value is the answer's
 * `next` when there are as many rows as maxRows asked for.
 */
#define VERB_NEXT "next"

typedef struct Verb
{
	const char *type;   /* of the frame; NULL: REST only */
	const char *answer; /* type of the answering frame */
	const char *method; /* NULL: WebSocket only */
	const char *path;   /* "/v1/x/{argument}"; "?name": only with that one */
	VerbHandler handler;
	AuthScope scope;
	unsigned flags; /* set of VerbFlag */
	const char *sql;
	VerbShape shape;
	const char *list;
	const char *list2;
	VerbArg args[VERB_ARGS_MAX + 1];
	VerbColumn columns[VERB_COLUMNS_MAX + 1];
} Verb;

extern const Verb verbs[];
extern const int verb_count;

int verb_index(const Verb *verb);
int verb_arg_count(const Verb *verb);

/* The one of a frame's type; NULL when there is none. */
const Verb *verb_of_type(const char *type);

/*
 * The one of a request.  path: raw, without the query.  has_query(arg, name)
 * tells whether the query has that parameter.  NULL when there is none;
 * *allowed then holds the path's methods, "" when there is no such path.
 */
const Verb *verb_of_request(const char *method, Slice path,
							bool (*has_query)(const void *arg,
											  const char *name),
							const void *arg, char *allowed,
							size_t allowed_size);

/* Which segment of the path is that argument; -1: none. */
int verb_segment(const Verb *verb, const char *name);

/* One JSON object a line. */
void verb_print_all(Buf *out);

/* The same to a file; 0, or 1 when it cannot be written. */
int verb_print(FILE *file);

#endif
