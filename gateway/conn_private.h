/*
 * conn_private - a connection and its loop as the two sources see them
 *
 * conns.c is the loop's side (epoll, turns, deadlines), conn.c one socket's.
 * For these alone.
 */
#ifndef CHEMCHAT_CONN_PRIVATE_H
#define CHEMCHAT_CONN_PRIVATE_H

#include "conn.h"
#include "conn_queue.h"

#define CONN_TICK_US INT64_C(250000)

struct Conn
{
	int fd;
	uint32_t events; /* watched for */
	Conns *conns;
	const ConnHandler *handler;
	void *user;
	TlsStream *tls;
	ConnQueue out;
	Conn *next_dirty;
	Conn *next; /* of all; of the dead */
	Conn *prev;
	Conn *next_timed;
	Conn *prev_timed;
	uint32_t deadline; /* in ticks; 0: none */
	uint32_t discarded;
	Address address;
	bool is_dirty : 1;
	bool is_choked : 1;
	bool tells_drained : 1; /* also when it was not choked */
	bool is_paused : 1;
	bool is_handshaking : 1;
	bool is_read_choked : 1; /* TLS reads only when it may write */
	bool is_counted : 1;
	bool is_lingering : 1;
	bool is_shut : 1;
	bool is_dead : 1;
};

struct Conns
{
	uv_poll_t poll;
	uv_prepare_t turn_end;
	uv_timer_t timer;
	int epoll_fd;
	int open_handles;
	int count;
	int handshakes_left; /* of this turn */
	Conn *all;
	Conn *dirty;
	Conn *timed;
	Conn *dead;
	void (*freed)(void *arg, const Address *address);
	void *arg;
	ConnsCounts counts;
	unsigned char *buffer; /* what every socket is read into */
};

/* Something happened to its socket. */
void conn_ready(Conn *conn, uint32_t events);

/* Somebody has a deadline: the timer runs until nobody has. */
void conns_watch_time(Conns *conns);

/* Its deadline has come. */
void conn_time_is_up(Conn *conn);

/* Writes what waits. */
void conn_flush(Conn *conn);

/*
 * Ends it.  The memory waits for the loop's turn to end: an event may still
 * name it.
 */
void conn_bury(Conn *conn);

#endif
