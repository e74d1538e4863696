#include "decide.h"

static StartDecision
stop(const char *name, const char *reason)
{
	return (StartDecision){ .verdict = START_STOP,
							.stop_name = name,
							.reason = reason };
}

/* A slot to stream from: the one that is there, or a new one. */
static StartDecision
with_slot(StartVerdict verdict, const SlotFacts *slot, const char *reason)
{
	return (StartDecision){ .verdict = verdict,
							.drops_slot = slot->exists && slot->is_lost,
							.creates_slot = !slot->exists || slot->is_lost,
							.reason = reason };
}

/* Does the sink hold something this server has not written yet? */
static bool
is_ahead_of_database(const StartFacts *facts)
{
	for (int i = 0; i < facts->found->last_count; i++)
	{
		const SinkPosition *last = &facts->found->last[i];

		if (last->system_id == facts->system_id &&
			last->timeline == facts->timeline &&
			last->commit_lsn > facts->flush_lsn)
			return true;
	}
	return false;
}

StartDecision
decide_start(const StartFacts *facts)
{
	const StreamRow *row = facts->row;
	const SlotFacts *slot = facts->slot;

	if (slot->exists && !slot->is_ours)
		return stop("SLOT_FOREIGN", "a slot of this name belongs to another "
									"output plugin or database");
	if (is_ahead_of_database(facts))
		return stop("AHEAD_OF_DATABASE",
					"Kafka holds events of this history that the database "
					"has not written: it was restored from the past");
	if (!row->exists)
		return with_slot(START_REPAIR, slot, "nothing was streamed before");
	if (row->shards != facts->shards)
		return stop("SHARDS_CHANGED", "the number of shards is not the one "
									  "that was streamed with");
	if (row->system_id != facts->system_id || row->timeline != facts->timeline)
		return with_slot(START_REPAIR, slot,
						 "the database has another history: restored or "
						 "failed over");
	if (facts->found->is_changed)
		return with_slot(START_REPAIR, slot,
						 "the topics changed and are taken as they are");
	if (!slot->exists)
		return with_slot(START_REPAIR, slot, "the slot is gone");
	if (slot->is_lost)
		return with_slot(START_REPAIR, slot,
						 "the slot lost its WAL (max_slot_wal_keep_size)");
	if (slot->confirmed_lsn > row->confirmed_lsn)
		return with_slot(START_REPAIR, slot,
						 "the slot stands further than was ever confirmed: "
						 "it was made again or advanced");
	if (!row->is_repaired)
		return with_slot(START_RESUME, slot, "a repair was interrupted");
	return with_slot(START_STREAM, slot, "slot and record agree");
}

StartDecision
decide_live_start(const SlotFacts *slot)
{
	if (slot->exists && !slot->is_ours)
		return stop("SLOT_FOREIGN", "a slot of this name belongs to another "
									"output plugin or database");
	return with_slot(START_STREAM, slot, "live delivery begins now");
}
