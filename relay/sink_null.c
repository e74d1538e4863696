#include "sink.h"

#include <stdio.h>
#include <stdlib.h>

#include "xalloc.h"

static SinkStatus
null_start(Sink *sink, const SinkIdentity *identity, PrefixWindow *window,
		   SinkFindings *found, Error *err)
{
	snprintf(found->layout, sizeof(found->layout), "{}");
	found->is_changed = false;
	found->last_count = 0;
	return SINK_OK;
}

static void
null_frame(Sink *sink, const FrameHeader *header, PrefixSpan span)
{
}

static SinkStatus
null_event(Sink *sink, const SinkEvent *event, Error *err)
{
	return SINK_OK;
}

static SinkStatus
null_turn(Sink *sink, int64_t now_us, Error *err)
{
	return SINK_OK;
}

static int
null_wait(Sink *sink, struct pollfd *fds, int64_t *deadline_us)
{
	return 0;
}

static void
null_free(Sink *sink)
{
	free(sink);
}

static const SinkOps null_ops = {
	.name = "null",
	.start = null_start,
	.frame_begin = null_frame,
	.event = null_event,
	.frame_end = null_frame,
	.turn = null_turn,
	.wait = null_wait,
	.free = null_free,
};

Sink *
sink_null_new(void)
{
	Sink *sink = xcalloc(1, sizeof(*sink));

	sink->ops = &null_ops;
	return sink;
}
