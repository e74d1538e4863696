#include "prefix_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define FIRST_CAP 64

typedef struct Slot
{
	uint64_t end;
	uint64_t parts; /* added and not done */
	bool is_open;
} Slot;

/*
 * A ring: span s lives in slots[s & (cap - 1)].  Spans first .. next-1 are
 * held; the oldest held one is never finished, since finishing it moves the
 * position over it and over every finished one behind.
 */
struct PrefixWindow
{
	uint64_t position;
	uint64_t last_end;
	PrefixSpan first;
	PrefixSpan next;
	size_t pending;
	size_t cap; /* a power of two */
	size_t max_spans;
	Slot *slots;
};

static Slot *slot_of(const PrefixWindow *window, PrefixSpan span,
					 const char *verb);
static bool is_finished(const Slot *slot);
static void finish(PrefixWindow *window, PrefixSpan span);
static void grow(PrefixWindow *window);
static void bug(const char *verb, const char *why) __attribute__((noreturn));

PrefixWindow *
prefix_window_new(uint64_t position, size_t max_spans)
{
	PrefixWindow *window = xcalloc(1, sizeof *window);

	window->position = position;
	window->max_spans = max_spans;
	window->cap = FIRST_CAP;
	window->slots = xcalloc(window->cap, sizeof *window->slots);
	return window;
}

void
prefix_window_free(PrefixWindow **window)
{
	if (*window == NULL)
		return;
	free((*window)->slots);
	free(*window);
	*window = NULL;
}

bool
prefix_window_begin(PrefixWindow *window, uint64_t end, PrefixSpan *span)
{
	size_t held = (size_t) (window->next - window->first);

	if (end < window->last_end)
		bug("begin", "its end lies before an earlier one");
	if (held >= window->max_spans)
		return false;
	if (held == window->cap)
		grow(window);

	*span = window->next++;
	window->slots[*span & (window->cap - 1)] =
		(Slot){ .end = end, .parts = 0, .is_open = true };
	window->last_end = end;
	window->pending++;
	return true;
}

void
prefix_window_add(PrefixWindow *window, PrefixSpan span)
{
	Slot *slot = slot_of(window, span, "add");

	if (!slot->is_open)
		bug("add", "the span is sealed");
	slot->parts++;
}

void
prefix_window_seal(PrefixWindow *window, PrefixSpan span)
{
	Slot *slot = slot_of(window, span, "seal");

	if (!slot->is_open)
		bug("seal", "the span is sealed already");
	slot->is_open = false;
	if (is_finished(slot))
		finish(window, span);
}

void
prefix_window_done(PrefixWindow *window, PrefixSpan span)
{
	Slot *slot = slot_of(window, span, "done");

	if (slot->parts == 0)
		bug("done", "more parts done than were added");
	slot->parts--;
	if (is_finished(slot))
		finish(window, span);
}

uint64_t
prefix_window_position(const PrefixWindow *window)
{
	return window->position;
}

size_t
prefix_window_pending(const PrefixWindow *window)
{
	return window->pending;
}

void
prefix_window_skip(PrefixWindow *window, uint64_t position)
{
	if (window->pending == 0 && position > window->position)
		window->position = position;
}

static Slot *
slot_of(const PrefixWindow *window, PrefixSpan span, const char *verb)
{
	if (span - window->first >= window->next - window->first)
		bug(verb, "no such span, or it is finished");
	return &window->slots[span & (window->cap - 1)];
}

static bool
is_finished(const Slot *slot)
{
	return !slot->is_open && slot->parts == 0;
}

/* Each span is passed once: constant time per span over its life. */
static void
finish(PrefixWindow *window, PrefixSpan span)
{
	window->pending--;
	if (span != window->first)
		return;

	while (window->first != window->next)
	{
		const Slot *slot = &window->slots[window->first & (window->cap - 1)];

		if (!is_finished(slot))
			break;
		/* what a server sends again may end before where we began */
		if (slot->end > window->position)
			window->position = slot->end;
		window->first++;
	}
}

static void
grow(PrefixWindow *window)
{
	size_t cap = window->cap * 2;
	Slot *slots = xcalloc(cap, sizeof *slots);

	for (PrefixSpan span = window->first; span != window->next; span++)
		slots[span & (cap - 1)] = window->slots[span & (window->cap - 1)];
	free(window->slots);
	window->slots = slots;
	window->cap = cap;
}

/* A wrong count here would confirm what is not acknowledged: never go on. */
static void
bug(const char *verb, const char *why)
{
	(void) fprintf(stderr, "prefix_window_%s: %s\n", verb, why);
	abort();
}
