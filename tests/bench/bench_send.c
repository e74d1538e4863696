/*
 * bench_send - how many sends a second Postgres takes over one connection
 *
 * In:   CHEMCHAT_PG; -m chat|silent|plain -c conversations -b batch -t seconds
 *       [-s] (hold a snapshot on a second connection) [-r rate]
 * Out:  one line: rows a second, server CPU microseconds a row, p50 and p99
 *       of a call in milliseconds
 *
 * chat calls chemchat.send_messages, silent bench.send_messages_silent (the same
 * without its event, run.d/outbox.sh); plain inserts the same batch into
 * bench.plain, a copy of chemchat.message with its indexes and without any
 * logic, which grows from run to run like the original.  Both wait for the
 * commit.  The users and conversations are those
 * that tests/bench/setup.sql made: bench.conversation(n, id), bench.actor(id).
 */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "process.h"
#include "sample.h"
#include "uuid.h"

typedef struct Run
{
	PGconn *conn;
	bool is_chat;   /* else plain */
	bool is_silent; /* chat, without its event */
	int batch;
	int conversations;
	int64_t rate;
	double seconds;
	char (*conversation)[UUID_TEXT_LEN + 1];
	char actor[UUID_TEXT_LEN + 1];
	int64_t *seq;
	uint64_t next_key;
	uint64_t key_base;
} Run;

static void
die(const char *what, PGconn *conn)
{
	fprintf(stderr, "bench_send: %s: %s\n", what,
			conn ? PQerrorMessage(conn) : "");
	exit(1);
}

static PGconn *
connect_or_die(void)
{
	const char *conninfo = getenv("CHEMCHAT_PG");
	PGconn *conn = PQconnectdb(conninfo ? conninfo : "");

	if (PQstatus(conn) != CONNECTION_OK)
		die("could not connect", conn);
	return conn;
}

static PGresult *
exec_or_die(PGconn *conn, const char *sql)
{
	PGresult *res = PQexec(conn, sql);

	if (PQresultStatus(res) != PGRES_TUPLES_OK &&
		PQresultStatus(res) != PGRES_COMMAND_OK)
		die(sql, conn);
	return res;
}

static void
load_ids(Run *run)
{
	char sql[128];
	PGresult *res;

	snprintf(sql, sizeof(sql),
			 "SELECT id FROM bench.conversation WHERE n <= %d ORDER BY n",
			 run->conversations);
	res = exec_or_die(run->conn, sql);
	if (PQntuples(res) != run->conversations)
		die("too few conversations: run setup.sql", NULL);
	run->conversation =
		xcalloc((size_t) run->conversations, sizeof(*run->conversation));
	run->seq = xcalloc((size_t) run->conversations, sizeof(*run->seq));
	for (int i = 0; i < run->conversations; i++)
		memcpy(run->conversation[i], PQgetvalue(res, i, 0), UUID_TEXT_LEN);
	PQclear(res);
	res = exec_or_die(run->conn, "SELECT id FROM bench.actor LIMIT 1");
	memcpy(run->actor, PQgetvalue(res, 0, 0), UUID_TEXT_LEN);
	PQclear(res);
	run->key_base = (uint64_t) clock_wall_us();
}

/* One call, committed when it returns. */
static void
send_batch(Run *run)
{
	static const char body[] =
		"the yield after recrystallisation was 82 per cent";
	static Buf param[5];
	const char *value[5];
	PGresult *res;

	for (int p = 0; p < 5; p++)
	{
		buf_reset(&param[p]);
		buf_append_char(&param[p], '{');
	}
	for (int i = 0; i < run->batch; i++)
	{
		uint64_t key = run->next_key++;
		int c = (int) (key % (uint64_t) run->conversations);
		const char *comma = i > 0 ? "," : "";

		buf_printf(&param[0], "%s%s", comma, run->actor);
		buf_printf(&param[1], "%s%s", comma, run->conversation[c]);
		buf_printf(&param[2], "%s%08llx-%04llx-7000-8000-%012llx", comma,
				   (unsigned long long) (run->key_base >> 16) & 0xffffffff,
				   (unsigned long long) run->key_base & 0xffff,
				   (unsigned long long) key);
		buf_printf(&param[3], "%s\"%s\"", comma, body);
		buf_printf(&param[4], "%s%lld", comma, (long long) ++run->seq[c]);
	}
	for (int p = 0; p < 5; p++)
	{
		buf_append_char(&param[p], '}');
		value[p] = param[p].data;
	}
	res = PQexecPrepared(run->conn, "send", run->is_chat ? 4 : 5, value, NULL,
						 NULL, 1);
	if (PQresultStatus(res) != PGRES_TUPLES_OK &&
		PQresultStatus(res) != PGRES_COMMAND_OK)
		die("send", run->conn);
	if (run->is_chat)
		for (int i = 0; i < PQntuples(res); i++)
			if (strcmp(PQgetvalue(res, i, 0), "ok") != 0)
				die(PQgetvalue(res, i, 0), NULL);
	PQclear(res);
}

/* The plain table goes on where it ended, as the chat's own does. */
static void
load_seqs(Run *run)
{
	PGresult *res = exec_or_die(
		run->conn, "SELECT c.n, coalesce(max(p.seq), 0) FROM bench.conversation"
				   " AS c LEFT JOIN bench.plain AS p ON p.conversation_id ="
				   " c.id GROUP BY c.n");

	for (int i = 0; i < PQntuples(res); i++)
	{
		long n = strtol(PQgetvalue(res, i, 0), NULL, 10);

		if (n <= run->conversations)
			run->seq[n - 1] = strtoll(PQgetvalue(res, i, 1), NULL, 10);
	}
	PQclear(res);
}

static void
prepare(Run *run)
{
	const char *sql =
		run->is_silent
			? "SELECT code FROM bench.send_messages_silent($1::uuid[],"
			  "$2::uuid[],$3::uuid[],$4::text[])"
		: run->is_chat
			? "SELECT code FROM chemchat.send_messages($1::uuid[],$2::uuid[],"
			  "$3::uuid[],$4::text[])"
			: "INSERT INTO bench.plain(conversation_id, seq, id, sender, "
			  "client_msg_id, body) SELECT c, s, gen_random_uuid(), a, k, b "
			  "FROM unnest($1::uuid[],$2::uuid[],$3::uuid[],$4::text[],"
			  "$5::bigint[]) AS i(a, c, k, b, s)";
	PGresult *res = PQprepare(run->conn, "send", sql, 0, NULL);

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		die("prepare", run->conn);
	PQclear(res);
	if (!run->is_chat)
		load_seqs(run);
}

int
main(int argc, char **argv)
{
	Run run = { .batch = 32, .conversations = 1, .seconds = 3 };
	Sample calls = { 0 };
	PGconn *holder = NULL;
	bool holds_snapshot = false;
	int64_t start;
	int64_t cpu_us;
	int64_t sent = 0;
	double elapsed;
	int opt;

	while ((opt = getopt(argc, argv, "m:c:b:t:r:s")) != -1)
		switch (opt)
		{
			case 'm':
				run.is_silent = strcmp(optarg, "silent") == 0;
				run.is_chat = run.is_silent || strcmp(optarg, "chat") == 0;
				break;
			case 'c':
				run.conversations = (int) strtol(optarg, NULL, 10);
				break;
			case 'b':
				run.batch = (int) strtol(optarg, NULL, 10);
				break;
			case 't':
				run.seconds = strtod(optarg, NULL);
				break;
			case 'r':
				run.rate = strtol(optarg, NULL, 10);
				break;
			case 's':
				holds_snapshot = true;
				break;
			default:
				return 2;
		}
	run.conn = connect_or_die();
	load_ids(&run);
	prepare(&run);
	if (holds_snapshot)
	{
		holder = connect_or_die();
		PQclear(exec_or_die(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ"));
		PQclear(exec_or_die(holder, "SELECT count(*) FROM pg_class"));
	}
	for (int i = 0; i < 50; i++)
		send_batch(&run);

	cpu_us = process_cpu_us(PQbackendPID(run.conn));
	start = clock_now_us();
	while ((elapsed = (double) (clock_now_us() - start) / 1e6) < run.seconds)
	{
		int64_t begin = clock_now_us();

		if (run.rate > 0)
		{
			int64_t due = start + sent * 1000000 / run.rate;

			if (begin < due)
			{
				usleep((useconds_t) (due - begin));
				begin = clock_now_us();
			}
		}
		send_batch(&run);
		sample_add(&calls, clock_now_us() - begin);
		sent += run.batch;
	}
	cpu_us = process_cpu_us(PQbackendPID(run.conn)) - cpu_us;
	sample_sort(&calls);
	printf("%.0f %.1f %.3f %.3f\n", (double) sent / elapsed,
		   (double) cpu_us / (double) sent, sample_quantile_ms(&calls, 0.5),
		   sample_quantile_ms(&calls, 0.99));
	PQfinish(run.conn);
	if (holder)
		PQfinish(holder);
	return 0;
}
