/*
 * epoch - which life of the database this is
 *
 * chemchat.epoch has one row per (system id, timeline, database) that ever
 * wrote, made by the first write of each; the first is 0.  A restore or a
 * failover, even one that lost commits, gives a new one, and with it revs
 * that are higher than any the lost history can have given.
 */
#ifndef CHEMCHAT_EPOCH_H
#define CHEMCHAT_EPOCH_H

#include "postgres.h"

#define EPOCH_SHIFT 40 /* leaves 8192 epochs below 2^53 */

/*
 * The lowest rev of the present epoch, at least 1.  Makes the epoch's row if
 * this is its first write; then others' first writes wait for our commit.
 * Uses SPI.  The caller has checked the transaction (guard_begin_write).
 */
extern int64 epoch_first_rev(void);

/* Something was rolled back: look at the table again. */
extern void epoch_forget(void);

#endif
