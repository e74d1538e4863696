#include "decode_options.h"
#include "pgcompat.h"

#include "commands/defrem.h"

static void parse_one(DecodeOptions *options, const char *name,
					  const char *value);
static uint32 parse_number(const char *name, const char *value, uint32 max);
COMPAT_NORETURN static void bad_value(const char *name, const char *value,
									  const char *allowed);

static const char *const known[] = { "proto", "shard", "shards", "replays",
									 "format" };

#define PROTO 0x01 /* the bit of known[0] */

void
decode_options_parse(DecodeOptions *options, List *elements)
{
	int seen = 0;
	ListCell *cell;

	options->filter.shard = 0;
	options->filter.shards = 1;
	options->filter.wants_replays = true;
	options->format = DECODE_BINARY;

	foreach (cell, elements)
	{
		DefElem *element = lfirst_node(DefElem, cell);
		int at = 0;

		while (at < lengthof(known) && strcmp(known[at], element->defname) != 0)
			at++;
		if (at == lengthof(known))
			ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unknown option \"%s\" of output plugin chemchat",
						   element->defname),
					errhint("It knows proto, shard, shards, replays and "
							"format."));
		if (seen & (1 << at))
			ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("option \"%s\" of output plugin chemchat is given "
						   "twice",
						   element->defname));
		seen |= 1 << at;
		if (element->arg == NULL)
			ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("option \"%s\" of output plugin chemchat needs a "
						   "value",
						   element->defname));
		parse_one(options, element->defname, defGetString(element));
	}

	if ((seen & PROTO) == 0)
		ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"proto\" of output plugin chemchat is "
					   "missing"),
				errhint("This library speaks proto '%d'.", FRAME_PROTO));
	if (options->filter.shard >= options->filter.shards)
		ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"shard\" of output plugin chemchat is %u, but "
					   "must be below option \"shards\", which is %u",
					   options->filter.shard, options->filter.shards));
}

static void
parse_one(DecodeOptions *options, const char *name, const char *value)
{
	if (strcmp(name, "proto") == 0)
	{
		if (strcmp(value, CppAsString2(FRAME_PROTO)) != 0)
			ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("option \"proto\" of output plugin chemchat is "
						   "\"%s\", but this library speaks \"%d\"",
						   value, FRAME_PROTO),
					errhint("The relay and the extension must be of versions "
							"that share a protocol."));
	}
	else if (strcmp(name, "shard") == 0)
		options->filter.shard =
			parse_number(name, value, DECODE_MAX_SHARDS - 1);
	else if (strcmp(name, "shards") == 0)
	{
		options->filter.shards = parse_number(name, value, DECODE_MAX_SHARDS);
		if (options->filter.shards == 0)
			bad_value(name, value, "a number from 1 to 1000");
	}
	else if (strcmp(name, "replays") == 0)
	{
		if (strcmp(value, "on") == 0)
			options->filter.wants_replays = true;
		else if (strcmp(value, "off") == 0)
			options->filter.wants_replays = false;
		else
			bad_value(name, value, "\"on\" or \"off\"");
	}
	else
	{
		if (strcmp(value, "binary") == 0)
			options->format = DECODE_BINARY;
		else if (strcmp(value, "json") == 0)
			options->format = DECODE_JSON;
		else
			bad_value(name, value, "\"binary\" or \"json\"");
	}
}

/* Digits only: no sign, no space, no other base. */
static uint32
parse_number(const char *name, const char *value, uint32 max)
{
	uint64 number = 0;
	const char *at = value;

	for (; *at >= '0' && *at <= '9' && number <= max; at++)
		number = number * 10 + (uint64) (*at - '0');
	if (at == value || *at != '\0' || number > max)
		bad_value(name, value, psprintf("a number up to %u", max));
	return (uint32) number;
}

static void
bad_value(const char *name, const char *value, const char *allowed)
{
	ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("option \"%s\" of output plugin chemchat cannot be \"%s\"",
				   name, value),
			errhint("It is %s.", allowed));
}
