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
#include "db_account.h"
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
	bool is_paused;
	int pings;
	uint16_t close_code;
} FakeSocket;

/* The last call of each kind. */
typedef struct FakeDb
{
	int waiting; /* reads, as the pool counts them */
	DbSend send;
	char body[20000];
	DbSentFn sent;
	int sends;
	DbAnswerFn answer;
	void *arg;
	int calls;
	const Verb *verb;
	VerbValue values[VERB_ARGS_MAX];
	char texts[VERB_ARGS_MAX][200];
	Mark mark;
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

static void
fake_set_reading(void *socket, bool is_reading)
{
	((FakeSocket *) socket)->is_paused = !is_reading;
}

static const Transport fake_transport = { fake_write, fake_want_write,
										  fake_ping, fake_set_reading,
										  fake_close };

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

int
db_reads_waiting(const Db *db)
{
	(void) db;
	return fake_db.waiting;
}

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

void
db_call(Db *db, const Verb *verb, const Uuid *actor, const VerbValues *values,
		const char *trace, DbAnswerFn done, void *arg)
{
	(void) db;
	(void) actor;
	(void) trace;
	fake_db.calls++;
	fake_db.verb = verb;
	fake_db.answer = done;
	fake_db.arg = arg;
	for (int i = 0; i < VERB_ARGS_MAX; i++)
	{
		fake_db.values[i] = values->value[i];
		fake_db.values[i].ids = NULL; /* borrowed for the call */
		fake_db.values[i].text = NULL;
		if (values->value[i].text != NULL)
			snprintf(fake_db.texts[i], sizeof(fake_db.texts[i]), "%s",
					 values->value[i].text);
		else
			fake_db.texts[i][0] = '\0';
	}
}

void
db_mark(Db *db, const Mark *mark, DbAnswerFn done, void *arg)
{
	(void) db;
	fake_db.calls++;
	fake_db.mark = *mark;
	fake_db.answer = done;
	fake_db.arg = arg;
}

/* Answers the last call with these fields. */
static inline void
fake_answer(const char *fields)
{
	DbError none = { .code = NULL };
	DbAnswer answer = { .fields = NULL };
	Buf text;

	buf_init(&text);
	buf_append_str(&text, fields);
	answer.fields = &text;
	answer.content_len = text.len;
	fake_db.answer(fake_db.arg, &none, &answer);
	buf_fini(&text);
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

/* Accounts: nobody has one, nothing is withdrawn; asked by nobody here. */
void
db_revocations(Db *db, int64_t since_us, DbRevocationsFn done, void *arg)
{
	DbError error = { 0 };

	(void) db;
	(void) since_us;
	done(arg, &error, NULL, 0);
}

void
db_account_by_handle(Db *db, const char *handle, size_t len, DbAccountFn done,
					 void *arg)
{
	DbError error = { 0 };

	(void) db;
	(void) handle;
	(void) len;
	done(arg, &error, NULL);
}

void
db_bot_token(Db *db, const uint8_t hash[DB_TOKEN_HASH_SIZE], DbBotTokenFn done,
			 void *arg)
{
	DbError error = { 0 };

	(void) db;
	(void) hash;
	done(arg, &error, NULL);
}

#endif

#endif
