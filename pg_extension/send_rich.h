/*
 * send_rich - what few messages have: a parent, members they name, a block
 *
 * Statements beside those of send_store, run only when a batch has a reply, a
 * body with an "@handle", or a direct conversation.  Between send_store_begin
 * and send_store_end, behind the lock.
 */
#ifndef CHEMCHAT_SEND_RICH_H
#define CHEMCHAT_SEND_RICH_H

#include "send.h"

/*
 * Sets parent and thread of the replies that are not answered yet: the thread
 * is the parent's, or begins with it.
 */
extern void send_rich_find_parents(SendItem *items, int count);

/*
 * Sets is_blocked of what is not answered yet and is for a direct conversation
 * in which one blocks the other.
 */
extern void send_rich_find_blocks(SendItem *items, int count);

/* Sets mentions of those whose bodies name handles of members. */
extern void send_rich_read_mentions(SendItem **items, int count);

extern bool send_rich_is_needed(SendItem **items, int count);

/*
 * Writes the rows of message, all of them, and of mention.  columns: what
 * send_store inserts for plain ones, as arrays.
 */
extern void send_rich_insert(SendItem **items, int count, const Datum *columns);

#endif
