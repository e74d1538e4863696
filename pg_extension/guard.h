/*
 * guard - what must be true before a transaction of ours writes
 *
 * The library and the SQL are of one version; the transaction is READ
 * COMMITTED, since at a higher level a fresh lock comes with an old snapshot
 * and the next number is already taken; and the commit will be durable before
 * it is acknowledged.  The last is looked at again just before commit, because
 * anybody may change synchronous_commit in between, and a transaction that
 * wrote an event cannot be PREPAREd, because nobody looks at COMMIT PREPARED.
 */
#ifndef CHEMCHAT_GUARD_H
#define CHEMCHAT_GUARD_H

/* Called once, when the library is loaded. */
extern void guard_init(void);

/* Opens every writing function; raises what docs/sql.md says. */
extern void guard_begin_write(void);

/*
 * The transaction wrote an event: it will be looked at before commit.  Stays
 * set when a savepoint takes the event back, which refuses a little too much
 * and never too little.
 */
extern void guard_note_event(void);

#endif
