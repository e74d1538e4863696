/*
 * silent - send_messages without its event, to see what the event costs
 *
 * Included in front of send.c when the bench builds a second library from the
 * extension's sources: the JSON is not built and the WAL message not written;
 * all else is what is shipped.
 */
#ifndef CHEMCHAT_SILENT_H
#define CHEMCHAT_SILENT_H

#include "postgres.h"
#include "pgcompat.h"

#include "outbox.h"

#define outbox_message_json(out, message) ((void) (out), (void) (message))
#define outbox_emit(event, scratch)       ((void) (event), (void) (scratch))

#endif
