/*
 * decode_options - the options of START_REPLICATION
 *
 * docs/sql.md, "The output plugin".  Anything but a known option, once, with
 * a good value is an ERROR 22023 that names the option.
 */
#ifndef CHEMCHAT_DECODE_OPTIONS_H
#define CHEMCHAT_DECODE_OPTIONS_H

#include "postgres.h"
#include "nodes/pg_list.h"

#include "decode_filter.h"

typedef enum DecodeFormat
{
	DECODE_BINARY, /* frames, frame.h */
	DECODE_JSON    /* one object an event, for people and tests */
} DecodeFormat;

typedef struct DecodeOptions
{
	DecodeFilter filter;
	DecodeFormat format;
} DecodeOptions;

/* Of a list of DefElem; raises. */
extern void decode_options_parse(DecodeOptions *options, List *elements);

#endif
