#include "auth_metrics.h"

#include <stdlib.h>

#include "metrics.h"
#include "xalloc.h"

struct AuthMetrics
{
	Metric *good;
	Metric *refused;
	Metric *unavailable;
	Metric *waiting;
	Metric *listed;
	Metric *signed_in;
	Metric *wrong;
	Metric *throttled;
	Metric *busy;
};

static Metric *tokens(const char *labels);
static Metric *sign_ins(const char *labels);
static void put(Metric *counter, uint64_t value);

AuthMetrics *
auth_metrics_new(void)
{
	AuthMetrics *metrics = xcalloc(1, sizeof(*metrics));

	metrics->good = tokens("result=\"good\"");
	metrics->refused = tokens("result=\"refused\"");
	metrics->unavailable = tokens("result=\"unavailable\"");
	metrics->waiting =
		metric_gauge("chemchat_gateway_tokens_waiting",
					 "Tokens that wait for an issuer's keys", NULL);
	metrics->listed =
		metric_gauge("chemchat_gateway_tokens_withdrawn",
					 "Withdrawn tokens, and users some of whose tokens are "
					 "void, known now",
					 NULL);
	metrics->signed_in = sign_ins("result=\"good\"");
	metrics->wrong = sign_ins("result=\"wrong\"");
	metrics->throttled = sign_ins("result=\"throttled\"");
	metrics->busy = sign_ins("result=\"busy\"");
	return metrics;
}

void
auth_metrics_free(AuthMetrics **metrics)
{
	free(*metrics);
	*metrics = NULL;
}

void
auth_metrics_update(AuthMetrics *metrics, const Auth *auth,
					const Accounts *accounts)
{
	AuthCounts of_tokens = auth_counts(auth);
	AccountsCounts of_sign_ins = accounts_counts(accounts);

	put(metrics->good, of_tokens.good);
	put(metrics->refused, of_tokens.refused);
	put(metrics->unavailable, of_tokens.unavailable);
	metric_set(metrics->waiting, (int64_t) of_tokens.waiting);
	metric_set(metrics->listed, (int64_t) of_tokens.listed);
	put(metrics->signed_in, of_sign_ins.good);
	put(metrics->wrong, of_sign_ins.wrong);
	put(metrics->throttled, of_sign_ins.throttled);
	put(metrics->busy, of_sign_ins.busy);
}

static Metric *
tokens(const char *labels)
{
	return metric_counter("chemchat_gateway_tokens_total",
						  "Tokens judged, by what came of it", labels);
}

static Metric *
sign_ins(const char *labels)
{
	return metric_counter("chemchat_gateway_sign_ins_total",
						  "Passwords tried and tokens issued, by what came "
						  "of it",
						  labels);
}

/* A counter's growth is what is new since the last copy. */
static void
put(Metric *counter, uint64_t value)
{
	metric_add(counter, (int64_t) value - metric_value(counter));
}
