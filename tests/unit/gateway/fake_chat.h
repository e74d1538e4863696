/*
 * fake_chat - commands and sessions without a socket and without a database
 *
 * The functions of db.h and db_send.h are defined here, so that a test that
 * includes this links none of the real ones: each call is noted and answered
 * when the test says so.  Sockets take frames, or do not.
 */
#ifndef CHEMCHAT_TEST_FAKE_CHAT_H
#define CHEMCHAT_TEST_FAKE_CHAT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "command.h"
#include "db_send.h"
#include "jwt.h"
#include "xalloc.h"

#define FAKE_FRAMES 256

typedef struct FakeSocket
{
	Session *session;
	char *frames[FAKE_FRAMES];
	int frame_count;
	bool is_choked;
	bool wants_write;
	int pings;
	uint16_t close_code;
} FakeSocket;

/* The last call of each kind. */
typedef struct FakeDb
{
	DbSend send;
	char body[20000];
	DbSentFn sent;
	int sends;
	DbAnswerFn answer;
	void *arg;
	int reads;
	Uuid conversation_id;
	int64_t number;
	int max_rows;
	int ids;
	Uuid users[16];
	int user_count;
	DbHeadRowsFn rows;
	void *rows_arg;
	DbStatusFn status;
	void *status_arg;
} FakeDb;

static bool
fake_write(void *socket, Payload *payload)
{
	FakeSocket *fake = socket;

	if (fake->is_choked)
		return false;
	if (fake->frame_count == FAKE_FRAMES)
		abort();
	fake->frames[fake->frame_count++] =
		xstrndup((const char *) payload_text(payload), payload->len);
	return true;
}

static void
fake_want_write(void *socket)
{
	((FakeSocket *) socket)->wants_write = true;
}

static void
fake_ping(void *socket)
{
	((FakeSocket *) socket)->pings++;
}

static void
fake_close(void *socket, uint16_t code, const char *reason)
{
	(void) reason;
	((FakeSocket *) socket)->close_code = code;
}

static const Transport fake_transport = { fake_write, fake_want_write,
										  fake_ping, fake_close };

/* The last frame, "" when there is none. */
static inline const char *
fake_last(const FakeSocket *fake)
{
	return fake->frame_count > 0 ? fake->frames[fake->frame_count - 1] : "";
}

static inline void
fake_forget(FakeSocket *fake)
{
	while (fake->frame_count > 0)
		free(fake->frames[--fake->frame_count]);
}

static inline void
fake_gone(FakeSocket *fake)
{
	fake_forget(fake);
	if (fake->session != NULL)
		session_gone(&fake->session);
}

#ifdef FAKE_DB

static FakeDb fake_db;

void
db_send(Db *db, const DbSend *send, DbSentFn done, void *arg)
{
	(void) db;
	fake_db.sends++;
	fake_db.send = *send;
	memcpy(fake_db.body, send->body, send->body_len);
	fake_db.sent = done;
	fake_db.arg = arg;
}

static void
note_read(DbAnswerFn done, void *arg)
{
	fake_db.reads++;
	fake_db.answer = done;
	fake_db.arg = arg;
}

void
db_heads(Db *db, const Uuid *actor, DbAnswerFn done, void *arg)
{
	(void) db;
	(void) actor;
	note_read(done, arg);
}

void
db_changes(Db *db, const Uuid *actor, const Uuid *conversation_id,
		   int64_t after_ev, int max_rows, DbAnswerFn done, void *arg)
{
	(void) db;
	(void) actor;
	fake_db.conversation_id = *conversation_id;
	fake_db.number = after_ev;
	fake_db.max_rows = max_rows;
	note_read(done, arg);
}

void
db_history(Db *db, const Uuid *actor, const Uuid *conversation_id,
		   int64_t before_seq, int max_rows, DbAnswerFn done, void *arg)
{
	db_changes(db, actor, conversation_id, before_seq, max_rows, done, arg);
}

void
db_users(Db *db, const Uuid *actor, const Uuid *ids, int count, DbAnswerFn done,
		 void *arg)
{
	(void) db;
	(void) actor;
	(void) ids;
	fake_db.ids = count;
	note_read(done, arg);
}

void
db_live_heads(Db *db, const Uuid *users, int count, int channel,
			  DbHeadRowsFn done, void *arg)
{
	(void) db;
	(void) channel;
	fake_db.user_count = count < 16 ? count : 16;
	memcpy(fake_db.users, users, (size_t) fake_db.user_count * sizeof(*users));
	fake_db.rows = done;
	fake_db.rows_arg = arg;
}

void
db_position_status(Db *db, const Position *position, DbStatusFn done, void *arg)
{
	(void) db;
	(void) position;
	fake_db.status = done;
	fake_db.status_arg = arg;
}

#endif

#endif
