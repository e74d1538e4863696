#include "walreader_slot.h"

DecodeFilter
walreader_slot_filter(const char *name)
{
	DecodeFilter filter = { .shard = 0, .shards = 1, .wants_replays = true };
	unsigned int oid;
	unsigned int shard;
	unsigned int shards;
	int len = 0;

	if (sscanf(name, "chemchat_%u_%uof%u%n", &oid, &shard, &shards, &len) ==
			3 &&
		name[len] == '\0' && shards <= DECODE_MAX_SHARDS && shard < shards)
	{
		filter.shard = shard;
		filter.shards = shards;
	}
	else if (sscanf(name, "chemchat_%u_live%n", &oid, &len) == 1 && len > 0 &&
			 name[len] == '\0')
		filter.wants_replays = false;
	return filter;
}
