#include "jwks.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "http_fetch.h"
#include "jwks_schedule.h"
#include "jwt_jwks.h"
#include "log.h"
#include "xalloc.h"

/* One attempt; lives longer than its Jwks if need be. */
typedef struct Attempt
{
	uv_work_t work;
	Jwks *jwks; /* NULL: nobody waits for it any more */
	char *url;
	char *ca_file;
	unsigned algs;
	atomic_bool give_up;
	bool is_good;
	int64_t max_age_s;
	size_t skipped;
	JwtKeys keys;
	Error err;
} Attempt;

struct Jwks
{
	uv_loop_t *loop;
	JwksConfig config;
	char *issuer;
	char *url;
	char *ca_file;
	JwksSchedule schedule;
	JwtKeys keys;
	Attempt *attempt; /* under way */
};

static void attempt(Jwks *jwks);
static void on_thread(uv_work_t *work);
static void after(uv_work_t *work, int status);
static void take_answer(Jwks *jwks, Attempt *done);

Jwks *
jwks_new(uv_loop_t *loop, const JwksConfig *config)
{
	Jwks *jwks = xcalloc(1, sizeof(*jwks));

	jwks->loop = loop;
	jwks->config = *config;
	jwks->issuer = xstrdup(config->issuer);
	jwks->url = xstrdup(config->url);
	if (config->ca_file != NULL)
		jwks->ca_file = xstrdup(config->ca_file);
	return jwks;
}

void
jwks_free(Jwks **jwks_ref)
{
	Jwks *jwks = *jwks_ref;

	if (jwks == NULL)
		return;
	*jwks_ref = NULL;
	if (jwks->attempt != NULL)
	{
		jwks->attempt->jwks = NULL;
		atomic_store(&jwks->attempt->give_up, true);
	}
	jwt_keys_wipe(&jwks->keys);
	free(jwks->issuer);
	free(jwks->url);
	free(jwks->ca_file);
	free(jwks);
}

void
jwks_tick(Jwks *jwks)
{
	int64_t now_us = clock_now_us();

	if (jwks->keys.count > 0 && jwks_schedule_is_stale(&jwks->schedule, now_us))
	{
		log_error("the keys of an issuer are too old; none is left",
				  "issuer=%s", log_quote(jwks->issuer));
		jwt_keys_wipe(&jwks->keys);
	}
	if (jwks->attempt == NULL && jwks_schedule_is_due(&jwks->schedule, now_us))
		attempt(jwks);
}

const JwtKeys *
jwks_keys(const Jwks *jwks)
{
	return &jwks->keys;
}

bool
jwks_want(Jwks *jwks)
{
	if (jwks->attempt == NULL &&
		jwks_schedule_ask_unknown(&jwks->schedule, clock_now_us()))
		attempt(jwks);
	return jwks->attempt != NULL;
}

bool
jwks_is_asking(const Jwks *jwks)
{
	return jwks->attempt != NULL;
}

static void
attempt(Jwks *jwks)
{
	Attempt *begun = xcalloc(1, sizeof(*begun));

	begun->jwks = jwks;
	begun->url = xstrdup(jwks->url);
	if (jwks->ca_file != NULL)
		begun->ca_file = xstrdup(jwks->ca_file);
	begun->algs = jwks->config.algs;
	begun->work.data = begun;
	jwks->attempt = begun;
	uv_queue_work(jwks->loop, &begun->work, on_thread, after);
}

/* On a thread of libuv's: nothing but the attempt is touched. */
static void
on_thread(uv_work_t *work)
{
	Attempt *begun = work->data;
	HttpFetch fetch = { .url = begun->url,
						.ca_file = begun->ca_file,
						.timeout_ms = JWKS_TIMEOUT_MS,
						.max_size = JWT_JWKS_MAX_SIZE,
						.give_up = &begun->give_up };
	HttpFetched fetched;

	buf_init(&fetched.body);
	begun->is_good =
		http_fetch(&fetch, &fetched, &begun->err) &&
		jwt_jwks_read(fetched.body.data != NULL ? fetched.body.data : "",
					  fetched.body.len, begun->algs, &begun->keys,
					  &begun->skipped, &begun->err);
	begun->max_age_s = fetched.max_age_s;
	buf_fini(&fetched.body);
}

static void
after(uv_work_t *work, int status)
{
	Attempt *done = work->data;
	Jwks *jwks = done->jwks;

	if (status != 0)
		done->is_good = false; /* cancelled: the text says nothing yet */
	if (jwks != NULL)
	{
		jwks->attempt = NULL;
		take_answer(jwks, done);
	}
	jwt_keys_wipe(&done->keys);
	free(done->url);
	free(done->ca_file);
	free(done);
	if (jwks != NULL)
		jwks->config.on_done(jwks->config.arg);
}

static void
take_answer(Jwks *jwks, Attempt *done)
{
	JwtKeys old = jwks->keys;

	if (!done->is_good)
	{
		jwks_schedule_failed(&jwks->schedule, clock_now_us());
		log_warn("could not fetch the keys of an issuer",
				 "issuer=%s keys=%zu reason=%s", log_quote(jwks->issuer),
				 jwks->keys.count, log_quote(done->err.text));
		return;
	}
	jwks_schedule_answered(&jwks->schedule, clock_now_us(), done->max_age_s);
	jwks->keys = done->keys;
	done->keys = old; /* wiped with the attempt */
	if (old.count != jwks->keys.count)
		log_info("keys of an issuer",
				 "issuer=%s keys=%zu skipped=%zu reason=%s",
				 log_quote(jwks->issuer), jwks->keys.count, done->skipped,
				 log_quote(done->skipped > 0 ? done->err.text : ""));
}
