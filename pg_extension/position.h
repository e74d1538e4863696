/*
 * position - how far this server's history goes, and whether one seen
 * earlier lies on it
 *
 * A position is (system id, timeline, LSN).  On a standby the LSN is the
 * replayed one: what its readers see.
 */
#ifndef CHEMCHAT_POSITION_H
#define CHEMCHAT_POSITION_H

/* The system identifier in decimal; palloc'd. */
extern char *position_system_id(void);

#endif
