#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "ctl_db.h"
#include "http_fetch.h"

#define OPS_TIMEOUT_MS 3000
#define OPS_MAX_SIZE   (1024 * 1024)
#define URLS_MAX       1024

/* A number of /metrics and what it is called on the screen. */
typedef struct Shown
{
	const char *metric;
	const char *word;
} Shown;

static const Shown of_gateways[] = {
	{ "chemchat_gateway_connections", "sockets" },
	{ "chemchat_gateway_users", "users" },
	{ NULL, NULL },
};
static const Shown of_relays[] = {
	{ "chemchat_relay_records_acknowledged_total", "records acknowledged" },
	{ "chemchat_relay_dead_letters_total", "dead letters" },
	{ NULL, NULL },
};

static bool print_daemons(const char *name, const char *urls,
						  const Shown *shown);
static bool print_daemon(const char *name, const char *url, const Shown *shown);
static bool get(const char *url, const char *path, HttpFetched *fetched,
				Error *err);
static void print_metric(const char *text, const Shown *shown);
static bool print_outbox(PgSession *session, bool *is_well, Error *err);
static bool print_streams(PgSession *session, Error *err);

int
ctl_status(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *gateways = NULL;
	const char *relays = NULL;
	const CtlFlag flags[] = {
		{ "--gateway-ops", &gateways, "URL,...",
		  "operations ports (CHEMCHAT_GATEWAY_OPS_URL)", false },
		{ "--relay-ops", &relays, "URL,...",
		  "operations ports (CHEMCHAT_RELAY_OPS_URL)", false },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	int exit_code = CTL_OK;
	bool is_well = true;
	PgSession *session = NULL;
	Error err = { "" };

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	if (gateways == NULL)
		gateways = getenv("CHEMCHAT_GATEWAY_OPS_URL");
	if (relays == NULL)
		relays = getenv("CHEMCHAT_RELAY_OPS_URL");
	is_well &= print_daemons("gateway", gateways, of_gateways);
	is_well &= print_daemons("relay", relays, of_relays);
	if ((session = ctl_db_open(&target, &err)) == NULL ||
		!print_outbox(session, &is_well, &err) || !print_streams(session, &err))
	{
		(void) printf("database  %s\n", err.text);
		is_well = false;
	}
	pg_session_close(&session);
	return is_well ? CTL_OK : CTL_FAILED;
}

static bool
print_daemons(const char *name, const char *urls, const Shown *shown)
{
	bool is_well = true;

	if (urls == NULL)
		(void) printf("%-9s not asked: no address of its operations port\n",
					  name);
	while (urls != NULL && *urls != '\0')
	{
		size_t len = strcspn(urls, ",");
		char url[URLS_MAX];

		if (len > 0 && len < sizeof url)
		{
			memcpy(url, urls, len);
			url[len] = '\0';
			is_well &= print_daemon(name, url, shown);
		}
		urls += len + (urls[len] == ',');
	}
	return is_well;
}

static bool
print_daemon(const char *name, const char *url, const Shown *shown)
{
	HttpFetched ready;
	HttpFetched metrics;
	bool is_ready = false;
	Error err = { "" };

	buf_init(&ready.body);
	buf_init(&metrics.body);
	(void) printf("%-9s %s  ", name, url);
	if (!get(url, "/readyz", &ready, &err))
		(void) printf("no answer: %s", err.text);
	else
	{
		const char *text = ready.body.data != NULL ? ready.body.data : "";

		is_ready = ready.status == 200;
		(void) printf("%s%.*s", is_ready ? "" : "not ready: ",
					  (int) strcspn(text, "\r\n"), text);
		if (get(url, "/metrics", &metrics, &err) && metrics.body.data != NULL)
			for (; shown->metric != NULL; shown++)
				print_metric(metrics.body.data, shown);
	}
	(void) puts("");
	buf_fini(&metrics.body);
	buf_fini(&ready.body);
	return is_ready;
}

static bool
get(const char *url, const char *path, HttpFetched *fetched, Error *err)
{
	char full[URLS_MAX + 16];
	HttpFetch fetch = { .url = full,
						.timeout_ms = OPS_TIMEOUT_MS,
						.max_size = OPS_MAX_SIZE,
						.is_inside = true };

	(void) snprintf(full, sizeof full, "%s%s", url, path);
	return http_fetch(&fetch, fetched, err);
}

/* The sum over its labels: `name{...} value` lines. */
static void
print_metric(const char *text, const Shown *shown)
{
	size_t name_len = strlen(shown->metric);
	double sum = 0;
	bool is_there = false;

	for (const char *line = text; line != NULL && *line != '\0';)
	{
		const char *end = strchr(line, '\n');

		if (strncmp(line, shown->metric, name_len) == 0 &&
			(line[name_len] == ' ' || line[name_len] == '{'))
		{
			const char *blank =
				memrchr(line, ' ',
						end != NULL ? (size_t) (end - line) : strlen(line));

			if (blank != NULL)
			{
				sum += strtod(blank, NULL);
				is_there = true;
			}
		}
		line = end != NULL ? end + 1 : NULL;
	}
	if (is_there)
		(void) printf(", %.0f %s", sum, shown->word);
}

static bool
print_outbox(PgSession *session, bool *is_well, Error *err)
{
	if (!ctl_db_ask(session,
					"SELECT o.slot, o.sink, o.state,"
					" CASE WHEN o.is_estimate THEN 'about ' ELSE '' END ||"
					" coalesce(o.events::text, '?'),"
					" pg_size_pretty(coalesce(o.bytes, 0)),"
					" coalesce(round(extract(epoch FROM o.oldest_age), 1)::text"
					"          || ' s', '-'),"
					" o.state = 'streaming'"
					" FROM chemchat.outbox_status() AS o ORDER BY o.slot",
					0, NULL, err))
		return false;
	if (pg_session_rows(session) == 0)
		(void) puts("outbox    no slot: no relay has run yet");
	for (int i = 0; i < pg_session_rows(session); i++)
	{
		(void)
			printf("outbox    %s (%s) %s, %s events waiting, %s, oldest %s\n",
				   ctl_db_cell(session, i, 0), ctl_db_cell(session, i, 1),
				   ctl_db_cell(session, i, 2), ctl_db_cell(session, i, 3),
				   ctl_db_cell(session, i, 4), ctl_db_cell(session, i, 5));
		if (strcmp(ctl_db_cell(session, i, 6), "t") != 0)
			*is_well = false;
	}
	return true;
}

static bool
print_streams(PgSession *session, Error *err)
{
	if (!ctl_db_ask(session,
					"SELECT o.slot, s.events,"
					" round(extract(epoch FROM now() - s.updated_at), 1),"
					" s.confirmed_lsn, s.repair_cursor IS NOT NULL"
					" FROM chemchat.outbox_status() AS o,"
					" chemchat.stream_state(o.slot) AS s ORDER BY o.slot",
					0, NULL, err))
		return false;
	for (int i = 0; i < pg_session_rows(session); i++)
		(void) printf("stream    %s %s events up to %s, reported %s s ago%s\n",
					  ctl_db_cell(session, i, 0), ctl_db_cell(session, i, 1),
					  ctl_db_cell(session, i, 3), ctl_db_cell(session, i, 2),
					  strcmp(ctl_db_cell(session, i, 4), "t") == 0
						  ? ", under repair"
						  : "");
	return true;
}
