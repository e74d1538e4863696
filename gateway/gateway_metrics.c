#include "gateway_metrics.h"

#include <stdlib.h>

#include "db_send.h"
#include "door_metrics.h"
#include "long_poll.h"
#include "metrics.h"
#include "xalloc.h"

typedef enum Number
{
	N_CONNECTIONS,
	N_POLLS,
	N_POLL_BYTES,
	N_USERS,
	N_CONVERSATIONS,
	N_MEMBERSHIPS,
	N_REQUESTS_UNDER_WAY,
	N_DB_LOAD,
	N_DB_UP,
	N_LAP,
	N_WELCOMES,
	N_REQUESTS,
	N_REFUSED,
	N_RATE_LIMITED,
	N_FRAMES_OUT,
	N_BYTES_OUT,
	N_DROPPED,
	N_LAGS,
	N_NO_PONG,
	N_TOKEN,
	N_EVENTS,
	N_DELIVERED,
	N_DUPLICATES,
	N_HOLES,
	N_PULLS,
	N_JUMPS,
	N_ADDED,
	N_REMOVED,
	N_LOOKS,
	N_REPAIRS,
	N_LAPS,
	N_ROWS,
	N_BATCHES,
	N_SENDS,
	N_BUSY,
	N_REPEATED,
	N_STATE_HELD,
	N_SESSION_QUEUE,
	N_HELLOS_WAITING,
	N_STATE_EVENTS,
	N_STATE_DUPLICATES,
	N_STATE_DELIVERED,
	N_STATE_ASKS,
	N_STATE_LOST,
	N_STATE_REPAIRS,
	N_STATE_LAPS,
	N_STATE_ROWS,
	N_INVITED,
	N_PAUSES,
	N_READS_TURNED,
	N_HELLOS_TURNED,
	N_STATE_LAP,
	N_NUMBERS
} Number;

typedef struct Description
{
	bool is_gauge;
	const char *name;
	const char *help;
	bool is_in_microseconds; /* a gauge; shown in seconds */
} Description;

static const Description descriptions[N_NUMBERS] = {
	[N_CONNECTIONS] = { true, "chemchat_gateway_connections",
						"WebSockets open now", false },
	[N_POLLS] = { true, "chemchat_gateway_polls",
				  "Clients of the long poll now, waiting or between two "
				  "polls",
				  false },
	[N_POLL_BYTES] = { true, "chemchat_gateway_poll_bytes",
					   "Bytes of frames kept for clients of the long poll",
					   false },
	[N_USERS] = { true, "chemchat_gateway_users", "Users connected now",
				  false },
	[N_CONVERSATIONS] = { true, "chemchat_gateway_conversations",
						  "Conversations with a connected member", false },
	[N_MEMBERSHIPS] = { true, "chemchat_gateway_memberships",
						"Memberships of connected users", false },
	[N_REQUESTS_UNDER_WAY] = { true, "chemchat_gateway_requests_under_way",
							   "Requests not answered yet", false },
	[N_DB_LOAD] = { true, "chemchat_gateway_db_waiting",
					"Statements and sends waiting or on the server", false },
	[N_DB_UP] = { true, "chemchat_gateway_db_up",
				  "1 while every database connection is up", false },
	[N_LAP] = { true, "chemchat_gateway_lap_seconds",
				"How long the last polled lap over all users took",
				.is_in_microseconds = true },
	[N_WELCOMES] = { false, "chemchat_gateway_welcomes_total", "Sessions begun",
					 false },
	[N_REQUESTS] = { false, "chemchat_gateway_requests_total",
					 "Frames and requests of the REST API received", false },
	[N_REFUSED] = { false, "chemchat_gateway_refused_total",
					"Frames and requests answered with an error", false },
	[N_RATE_LIMITED] = { false, "chemchat_gateway_rate_limited_total",
						 "Frames and requests refused because there were too "
						 "many",
						 false },
	[N_FRAMES_OUT] = { false, "chemchat_gateway_frames_sent_total",
					   "Frames written", false },
	[N_BYTES_OUT] = { false, "chemchat_gateway_frame_bytes_sent_total",
					  "Bytes of text in frames written", false },
	[N_DROPPED] = { false, "chemchat_gateway_frames_dropped_total",
					"Frames of conversations not queued for slow readers",
					false },
	[N_LAGS] = { false, "chemchat_gateway_lags_total",
				 "Times a slow reader was told to catch up", false },
	[N_NO_PONG] = { false, "chemchat_gateway_closed_no_pong_total",
					"Sessions closed for want of a pong", false },
	[N_TOKEN] = { false, "chemchat_gateway_closed_token_total",
				  "Sessions closed without a token, or at its end", false },
	[N_EVENTS] = { false, "chemchat_gateway_events_total",
				   "Events applied to conversations of connected users",
				   false },
	[N_DELIVERED] = { false, "chemchat_gateway_deliveries_total",
					  "Event frames given to sockets", false },
	[N_DUPLICATES] = { false, "chemchat_gateway_duplicate_events_total",
					   "Events heard again", false },
	[N_HOLES] = { false, "chemchat_gateway_holes_total",
				  "Events that did not follow what was known", false },
	[N_PULLS] = { false, "chemchat_gateway_pulls_total",
				  "Times the changes of a conversation were asked for", false },
	[N_JUMPS] = { false, "chemchat_gateway_wide_holes_total",
				  "Holes too wide to pull", false },
	[N_ADDED] = { false, "chemchat_gateway_members_added_total",
				  "Memberships begun while connected, or at a hello", false },
	[N_REMOVED] = { false, "chemchat_gateway_members_removed_total",
					"Memberships ended while connected", false },
	[N_LOOKS] = { false, "chemchat_gateway_looks_total",
				  "Users looked up by name", false },
	[N_REPAIRS] = { false, "chemchat_gateway_repairs_total",
					"Repairs of live channels over all users", false },
	[N_LAPS] = { false, "chemchat_gateway_laps_total", "Polled laps", false },
	[N_ROWS] = { false, "chemchat_gateway_head_rows_total",
				 "Rows of live_heads read", false },
	[N_BATCHES] = { false, "chemchat_gateway_send_batches_total",
					"Transactions of sends", false },
	[N_SENDS] = { false, "chemchat_gateway_sends_total",
				  "Sends handed to the database", false },
	[N_BUSY] = { false, "chemchat_gateway_busy_total",
				 "Sends that found their conversation held by somebody",
				 false },
	[N_REPEATED] = { false, "chemchat_gateway_batches_repeated_total",
					 "Transactions of sends tried again", false },
	[N_STATE_HELD] = { true, "chemchat_gateway_state_waiting",
					   "Frames of state and profiles gathered, or waiting for "
					   "who may see them",
					   false },
	[N_SESSION_QUEUE] = { true, "chemchat_gateway_queued_bytes",
						  "Bytes waiting for slow readers, over all sessions",
						  false },
	[N_HELLOS_WAITING] = { true, "chemchat_gateway_hellos_waiting",
						   "Hellos whose memberships are being read", false },
	[N_STATE_EVENTS] = { false, "chemchat_gateway_state_events_total",
						 "Events of users heard or read", false },
	[N_STATE_DUPLICATES] = { false, "chemchat_gateway_state_duplicates_total",
							 "Of these, told already", false },
	[N_STATE_DELIVERED] = { false, "chemchat_gateway_state_deliveries_total",
							"Frames of state given to sockets", false },
	[N_STATE_ASKS] = { false, "chemchat_gateway_state_asks_total",
					   "Questions who may see what a user read", false },
	[N_STATE_LOST] = { false, "chemchat_gateway_state_lost_total",
					   "Pieces of state that could not be held, and were told "
					   "as lost",
					   false },
	[N_STATE_REPAIRS] = { false, "chemchat_gateway_state_repairs_total",
						  "Repairs of what belongs to users", false },
	[N_STATE_LAPS] = { false, "chemchat_gateway_state_laps_total",
					   "Polled laps over what belongs to users", false },
	[N_STATE_ROWS] = { false, "chemchat_gateway_state_rows_total",
					   "Rows of live_states read", false },
	[N_INVITED] = { false, "chemchat_gateway_invited_total",
					"Invitations told to connected users", false },
	[N_PAUSES] = { false, "chemchat_gateway_read_pauses_total",
				   "Times nothing more was read from a slow reader", false },
	[N_READS_TURNED] = { false, "chemchat_gateway_reads_turned_away_total",
						 "Reads refused because too many waited for the "
						 "database",
						 false },
	[N_HELLOS_TURNED] = { false, "chemchat_gateway_hellos_turned_away_total",
						  "Hellos refused because too many waited for the "
						  "database",
						  false },
	[N_STATE_LAP] = { true, "chemchat_gateway_state_lap_seconds",
					  "How long the last polled lap over what belongs to users "
					  "took",
					  .is_in_microseconds = true },
};

struct GatewayMetrics
{
	Metric *number[N_NUMBERS];
	Metric *send_seconds;
	DoorMetrics *door;
};

static void put_state(GatewayMetrics *m, const Chat *chat);
static void put(GatewayMetrics *metrics, Number which, uint64_t value);

GatewayMetrics *
gateway_metrics_new(void)
{
	GatewayMetrics *metrics = xcalloc(1, sizeof(*metrics));

	for (int i = 0; i < N_NUMBERS; i++)
	{
		const Description *d = &descriptions[i];

		metrics->number[i] =
			d->is_in_microseconds ? metric_gauge_us(d->name, d->help, NULL)
			: d->is_gauge         ? metric_gauge(d->name, d->help, NULL)
								  : metric_counter(d->name, d->help, NULL);
	}
	metrics->door = door_metrics_new();
	metrics->send_seconds =
		metric_histogram("chemchat_gateway_send_seconds",
						 "From a send frame to its ok, COMMIT included", NULL);
	return metrics;
}

void
gateway_metrics_free(GatewayMetrics **metrics)
{
	if (*metrics != NULL)
		door_metrics_free(&(*metrics)->door);
	free(*metrics);
	*metrics = NULL;
}

void
gateway_metrics_update(GatewayMetrics *m, const Chat *chat, const Door *door,
					   const Ws *ws)
{
	const SessionsCounts *sessions = sessions_counts(chat->sessions);
	const SessionsCounts *polls = sessions_counts(polls_sessions(chat->polls));
	const FanoutCounts *fanout = fanout_counts(chat->fanout);
	const RosterCounts *roster = roster_counts(chat->roster);
	DbSendCounts sends = db_send_counts(chat->db);

	put(m, N_CONNECTIONS, (uint64_t) ws_count(ws));
	put(m, N_POLLS, (uint64_t) polls_count(chat->polls));
	put(m, N_POLL_BYTES, polls_bytes(chat->polls));
	put(m, N_USERS, registry_user_count(chat->registry));
	put(m, N_CONVERSATIONS, registry_conversation_count(chat->registry));
	put(m, N_MEMBERSHIPS, registry_membership_count(chat->registry));
	put(m, N_REQUESTS_UNDER_WAY, (uint64_t) sessions_requests(chat->sessions));
	put(m, N_DB_LOAD, (uint64_t) db_load(chat->db));
	put(m, N_DB_UP, db_is_up(chat->db));
	put(m, N_LAP, (uint64_t) roster->lap_us);
	if (door != NULL)
		door_metrics_update(m->door, door, ws);
	put(m, N_WELCOMES, chat->counts.welcomes);
	put(m, N_REQUESTS, chat->counts.requests);
	put(m, N_REFUSED, chat->counts.refused);
	put(m, N_RATE_LIMITED, chat->counts.rate_limited);
	put(m, N_FRAMES_OUT, sessions->frames_out);
	put(m, N_BYTES_OUT, sessions->bytes_out);
	put(m, N_DROPPED, sessions->dropped + polls->dropped);
	put(m, N_LAGS, sessions->lags + polls->lags);
	put(m, N_NO_PONG, sessions->closed_no_pong);
	put(m, N_TOKEN, sessions->closed_token + polls->closed_token);
	put(m, N_EVENTS, fanout->events);
	put(m, N_DELIVERED, fanout->delivered);
	put(m, N_DUPLICATES, fanout->duplicates);
	put(m, N_HOLES, fanout->holes);
	put(m, N_PULLS, fanout->pulls);
	put(m, N_JUMPS, fanout->lags);
	put(m, N_ADDED, fanout->added);
	put(m, N_REMOVED, fanout->removed);
	put(m, N_LOOKS, roster->looks);
	put(m, N_REPAIRS, roster->repairs);
	put(m, N_LAPS, roster->laps);
	put(m, N_ROWS, roster->rows);
	put_state(m, chat);
	put(m, N_INVITED,
		fanout->invited + fanout_state_counts(chat->state)->invited);
	put(m, N_SESSION_QUEUE, sessions->queued_bytes + polls->queued_bytes);
	put(m, N_PAUSES, sessions->pauses);
	put(m, N_HELLOS_WAITING, (uint64_t) roster_waiting(chat->roster));
	put(m, N_READS_TURNED, chat->admission.reads_refused);
	put(m, N_HELLOS_TURNED, chat->admission.entries_refused);
	put(m, N_BATCHES, sends.batches);
	put(m, N_SENDS, sends.sends);
	put(m, N_BUSY, sends.busy);
	put(m, N_REPEATED, sends.repeated);
}

void
gateway_metrics_sent(GatewayMetrics *metrics, int64_t took_us)
{
	metric_observe_us(metrics->send_seconds, took_us);
}

static void
put_state(GatewayMetrics *m, const Chat *chat)
{
	const FanoutStateCounts *state = fanout_state_counts(chat->state);
	const RosterStateCounts *roster = roster_state_counts(chat->roster_state);

	put(m, N_STATE_HELD, fanout_state_held(chat->state));
	put(m, N_STATE_EVENTS, state->events);
	put(m, N_STATE_DUPLICATES, state->duplicates);
	put(m, N_STATE_DELIVERED, state->delivered);
	put(m, N_STATE_ASKS, state->asks);
	put(m, N_STATE_LOST, state->lost);
	put(m, N_STATE_REPAIRS, roster->repairs);
	put(m, N_STATE_LAPS, roster->laps);
	put(m, N_STATE_ROWS, roster->rows);
	put(m, N_STATE_LAP, (uint64_t) roster->lap_us);
}

/* A counter's growth is what is new since the last copy. */
static void
put(GatewayMetrics *metrics, Number which, uint64_t value)
{
	Metric *metric = metrics->number[which];

	if (descriptions[which].is_gauge)
		metric_set(metric, (int64_t) value);
	else
		metric_add(metric, (int64_t) value - metric_value(metric));
}
